namespace OciOstree.Sysroot;

/// <summary>What follows from a boot.</summary>
public enum BootVerdict
{
    /// <summary>Nothing: it goes on.</summary>
    Continue,
    /// <summary>The same deployment shall be tried again: reboot.</summary>
    Retry,
    /// <summary>The deployment before is the default again: reboot.</summary>
    RolledBack,
    /// <summary>The boot loader has booted the deployment before, which is the default again.</summary>
    FellBack,
    /// <summary>It is not healthy, but there is nothing better to boot.</summary>
    Stay,
}
