namespace OciOstree.Linux;

public enum LockKind
{
    /// <summary>Many holders at once, none of them exclusive.</summary>
    Shared,
    /// <summary>One holder.</summary>
    Exclusive,
}
