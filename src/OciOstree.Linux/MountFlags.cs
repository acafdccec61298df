namespace OciOstree.Linux;

/// <summary>Flags of <c>mount(2)</c>.</summary>
[Flags]
public enum MountFlags
{
    None = 0,
    ReadOnly = 1,
    NoSetUid = 2,
    NoDevices = 4,
    NoExecute = 8,
    Remount = 32,
    Bind = 4096,
    Move = 8192,
    Recursive = 16384,
    Silent = 32768,
    Private = 1 << 18,
    Slave = 1 << 19,
    Shared = 1 << 20,
}
