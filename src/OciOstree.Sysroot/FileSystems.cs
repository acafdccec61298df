namespace OciOstree.Sysroot;

/// <summary>The magic numbers of statfs(2) that matter here.</summary>
internal static class FileSystems
{
    public const long Fat = 0x4D44;
}
