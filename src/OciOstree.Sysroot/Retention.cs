namespace OciOstree.Sysroot;

/// <summary>Which deployments stay when one is added. Pinned, booted, the merged one and those of other stateroots always do.</summary>
[Flags]
public enum Retention
{
    Default = 0,
    /// <summary>All that there are.</summary>
    All = 1,
    /// <summary>Those before the booted one in boot order.</summary>
    Pending = 2,
    /// <summary>Those after it.</summary>
    Rollback = 4,
    /// <summary>The new one goes after the booted (or merged) one instead of to the front.</summary>
    NotAsDefault = 8,
}
