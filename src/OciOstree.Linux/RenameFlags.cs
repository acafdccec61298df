namespace OciOstree.Linux;

/// <summary>Flags of <c>renameat2(2)</c>.</summary>
[Flags]
public enum RenameFlags
{
    None = 0,
    /// <summary>Fail with EEXIST rather than replace.</summary>
    NoReplace = 1,
    /// <summary>Swap the two names atomically.</summary>
    Exchange = 2,
}
