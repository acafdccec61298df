using System.CommandLine;

namespace OciOstree.Cli.Admin;

internal static class UndeployCommand
{
    public static Command Create()
    {
        var index = Opts.Optional("INDEX", "The deployment's place in the boot order");
        return new Verb("undeploy", "Delete deployment INDEX", "ostree admin undeploy 1") { index }.Takes("INDEX").ChangesSysroot((sysroot, parsed) =>
        {
            var gone = sysroot.Undeploy(PinCommand.IndexOf(sysroot, parsed.GetValue(index) ?? throw new UsageException("INDEX must be specified")));
            Console.Out.WriteLine($"Deleted deployment {gone.Commit}.{gone.Serial}");
            sysroot.Cleanup();
        });
    }
}
