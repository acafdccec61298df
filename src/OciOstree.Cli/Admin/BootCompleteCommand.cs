using System.CommandLine;

namespace OciOstree.Cli.Admin;

/// <summary>Run at boot: fails once with what kept the shutdown before from finalising a staged deployment.</summary>
internal static class BootCompleteCommand
{
    public static Command Create() => new Verb("boot-complete", "Internal command to run at boot after an update was applied", "ostree admin boot-complete").Hide().ChangesSysroot((sysroot, _) => sysroot.CompleteBoot());
}
