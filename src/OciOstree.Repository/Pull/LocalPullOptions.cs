using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>How commits are brought over from another repository on this machine.</summary>
public sealed record LocalPullOptions
{
    /// <summary>Refs or commit checksums to bring; null brings every ref.</summary>
    public IReadOnlyList<string>? Refs { get; init; }

    /// <summary>Write refs as if they had come from this remote.</summary>
    public string? Remote { get; init; }

    /// <summary>How many ancestors to bring along; -1 for all that the source has.</summary>
    public int Depth { get; init; }

    /// <summary>Bring commit objects only, marked as partial.</summary>
    public bool CommitsOnly { get; init; }

    /// <summary>Absolute paths; only what is below them is brought, and the commits are marked as partial.</summary>
    public IReadOnlyList<string> Subpaths { get; init; } = [];

    /// <summary>Check objects before they are linked; those that are converted always are.</summary>
    public bool Untrusted { get; init; }

    /// <summary>
    /// Told, from several threads, of a file that turned out damaged while it was converted. If the source is trusted, it is brought over all the same, as one that is
    /// linked would be, for fsck to find; null refuses it.
    /// </summary>
    public Action<CorruptedObjectException>? Damaged { get; init; }

    /// <summary>Refuse files with modes outside 0775.</summary>
    public bool BareUserOnlyFiles { get; init; }

    /// <summary>Do not check that commits are bound to the refs they are asked for by.</summary>
    public bool IgnoreBindings { get; init; }

    /// <summary>Checks a commit, given its bytes and its detached metadata, before anything of it is brought; throws if it is not to be trusted.</summary>
    public Action<Checksum, ReadOnlyMemory<byte>, Variant?>? VerifyCommit { get; init; }

    /// <summary>Whether a commit came by a static delta in this transaction: its tree is then looked through for what that left out.</summary>
    internal Func<Checksum, bool> CameByDelta { get; init; } = static _ => false;

    /// <summary>Told how many objects of how many are here, from several threads.</summary>
    public Action<int, int> Progress { get; init; } = static (_, _) => { };
}
