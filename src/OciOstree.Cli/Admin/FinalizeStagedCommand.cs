using System.CommandLine;

namespace OciOstree.Cli.Admin;

/// <summary>Run at shutdown by <c>ostree-finalize-staged.service</c>.</summary>
internal static class FinalizeStagedCommand
{
    public static Command Create()
    {
        var hold = Opts.Flag("--hold", "Hold /boot open during finalization");
        return new Verb("finalize-staged", "Internal command to run at shutdown time", "ostree admin finalize-staged")
        {
            hold,
        }.Hide().Does(parsed =>
        {
            if (!File.Exists("/run/ostree-booted"))
            {
                return;
            }

            if (parsed.GetValue(hold))
            {
                // An automounted /boot must not time out before the shutdown; systemd ends this process then.
                using var sysroot = AdminSysroot.OpenToRead(parsed);
                Entry.Cancellation.WaitHandle.WaitOne();
                return;
            }

            using (var sysroot = AdminSysroot.Open(parsed))
            {
                sysroot.FinalizeStaged();
            }
        });
    }
}
