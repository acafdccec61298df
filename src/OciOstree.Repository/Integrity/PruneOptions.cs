namespace OciOstree.Repository;

/// <summary>What a prune keeps.</summary>
public sealed record PruneOptions
{
    /// <summary>Keep only what refs lead to; else every commit that is here counts as wanted, and only stray objects go.</summary>
    public bool RefsOnly { get; init; }

    /// <summary>How many ancestors of each commit to keep; -1 for all.</summary>
    public int Depth { get; init; } = -1;

    /// <summary>Delete nothing, only count.</summary>
    public bool DryRun { get; init; }

    /// <summary>Delete commit objects and leave what they held.</summary>
    public bool CommitsOnly { get; init; }

    /// <summary>Keep a ref's ancestors as long as they are not older than this; implies <see cref="RefsOnly"/>.</summary>
    public DateTimeOffset? KeepYoungerThan { get; init; }

    /// <summary>The depth to keep for some refs instead of <see cref="Depth"/>; implies <see cref="RefsOnly"/>.</summary>
    public IReadOnlyDictionary<string, int> RetainDepth { get; init; } = new Dictionary<string, int>();

    /// <summary>Refs to prune; all others are kept whole unless <see cref="RetainDepth"/> names them. Implies <see cref="RefsOnly"/>; null means every ref.</summary>
    public IReadOnlyCollection<string>? OnlyBranches { get; init; }

    internal bool ByRef => KeepYoungerThan is not null || RetainDepth.Count > 0 || OnlyBranches is not null;
}
