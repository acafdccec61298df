namespace OciOstree.Testing;

/// <summary>What a generated tree has; the default has everything that an ostree commit can hold.</summary>
public sealed record TreeShape
{
    public bool Owners { get; init; } = true;

    public bool Xattrs { get; init; } = true;

    /// <summary>An xattr without a value, which ostree leaves out of a commit.</summary>
    public bool EmptyXattrs { get; init; } = true;

    /// <summary>Setuid, setgid and sticky bits, and files that are writable for others or readable for nobody.</summary>
    public bool OddModes { get; init; } = true;

    public bool HardLinks { get; init; } = true;

    /// <summary>Random files beside the fixed nasty ones.</summary>
    public int RandomFiles { get; init; } = 60;

    /// <summary>Files up to 1 MiB + 1; otherwise up to 64 KiB + 1.</summary>
    public bool LargeFiles { get; init; } = true;

    /// <summary>What a <c>bare-user-only</c> repository takes without changing it.</summary>
    public static TreeShape Plain { get; } = new() { Owners = false, Xattrs = false, OddModes = false };
}
