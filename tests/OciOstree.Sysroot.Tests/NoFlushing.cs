using System.Runtime.CompilerServices;

namespace OciOstree.Sysroot.Tests;

internal static class NoFlushing
{
    // Flushing a file system that other tests write to takes seconds and changes nothing that a test could see.
    [ModuleInitializer]
    public static void Set() => Environment.SetEnvironmentVariable("OSTREE_SYSROOT_OPTS", "skip-sync");
}
