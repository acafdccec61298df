namespace OciOstree.Sysroot;

/// <summary>What of a tree is labelled.</summary>
internal sealed record LabelScope
{
    /// <summary>A path to leave out.</summary>
    public string? Except { get; init; }

    /// <summary>Labels that are there stay, whatever they are.</summary>
    public bool OnlyUnlabelled { get; init; }

    /// <summary>Files with further names are left as they are: those are objects of the repository, whose checksums another label would make wrong.</summary>
    public bool SpareShared { get; init; }

    /// <summary>Goes into what is mounted in the tree, too; else that is another system's business.</summary>
    public bool AcrossMounts { get; init; }

    /// <summary>Told of each label set: the file, the path that it is labelled for, the label.</summary>
    public Action<string, string, string>? Told { get; init; }
}
