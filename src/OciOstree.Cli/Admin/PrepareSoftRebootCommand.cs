using System.CommandLine;
using System.Diagnostics;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>admin prepare-soft-reboot</c>: a deployment for systemd to start without the firmware and the kernel.</summary>
internal static class PrepareSoftRebootCommand
{
    public static Command Create()
    {
        var index = Opts.Optional("INDEX", "The deployment's place in the boot order");
        var reboot = Opts.Flag("--reboot", "Initiate a soft reboot on success");
        var reset = Opts.Flag("--reset", "Undo queued soft reboot state");
        return new Verb("prepare-soft-reboot", "Prepare deployment for soft-reboot", "ostree admin prepare-soft-reboot --reboot 0", "ostree admin prepare-soft-reboot --reset") { index, reboot, reset }.Takes("INDEX").ChangesSysroot(
            (sysroot, parsed) =>
            {
                if (parsed.GetValue(reset))
                {
                    sysroot.ClearSoftReboot();
                    return;
                }

                var place = PinCommand.IndexOf(sysroot, parsed.GetValue(index) ?? throw new UsageException("INDEX must be specified", withHelp: true));
                var target = sysroot.DeploymentAt(place);
                if (target.IsSame(sysroot.Booted))
                {
                    throw new SysrootException($"Cannot prepare for soft-reboot currently booted deployment {place}");
                }

                sysroot.PrepareSoftReboot(target);
                if (parsed.GetValue(reboot))
                {
                    sysroot.Dispose();   // its lock would outlive us into the shutdown
                    using var process = Process.Start("systemctl", ["soft-reboot"]);
                    process.WaitForExit();
                }
            },
            mounts: true);
    }
}
