using System.CommandLine;

namespace OciOstree.Cli.Admin;

internal static class CleanupCommand
{
    public static Command Create() =>
        new Verb("cleanup", "Delete untagged deployments and repository objects", "ostree admin cleanup").ChangesSysroot((sysroot, _) => sysroot.Cleanup());
}
