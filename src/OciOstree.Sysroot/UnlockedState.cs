namespace OciOstree.Sysroot;

/// <summary>Whether a deployment's <c>/usr</c> was made writable.</summary>
public enum UnlockedState
{
    None,
    /// <summary>An overlay that a reboot takes away.</summary>
    Development,
    /// <summary>An overlay in the deployment itself, which stays until the next one.</summary>
    Hotfix,
    /// <summary>As <see cref="Development"/>, but mounted read-only: only who remounts it can write.</summary>
    Transient,
}
