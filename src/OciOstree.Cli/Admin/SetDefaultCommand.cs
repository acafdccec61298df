using System.CommandLine;

namespace OciOstree.Cli.Admin;

internal static class SetDefaultCommand
{
    public static Command Create()
    {
        var index = Opts.Optional("INDEX", "The deployment's place in the boot order");
        return new Verb("set-default", "Make deployment INDEX the default", "ostree admin set-default 1") { index }.Takes("INDEX").ChangesSysroot((sysroot, parsed) =>
        {
            sysroot.SetDefault(PinCommand.IndexOf(sysroot, parsed.GetValue(index) ?? throw new UsageException("INDEX must be specified")));
            sysroot.Cleanup();
        });
    }
}
