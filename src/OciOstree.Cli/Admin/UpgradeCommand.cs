using System.CommandLine;
using System.Diagnostics;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>admin upgrade</c>: to the newest commit of the branch that the origin names.</summary>
internal static class UpgradeCommand
{
    public static Command Create()
    {
        var os = Opts.Value("--os", "OSNAME", "Use a different operating system root than the current one", "--stateroot");
        var reboot = Opts.Flag("--reboot", "Reboot after a successful upgrade", "-r");
        var kexec = Opts.Flag("--kexec", "Stage new kernel in kexec", "-k");
        var allowDowngrade = Opts.Flag("--allow-downgrade", "Permit deployment of chronologically older trees");
        var overrideCommit = Opts.Value("--override-commit", "CHECKSUM", "Deploy CHECKSUM instead of the latest tree");
        var pullOnly = Opts.Flag("--pull-only", "Do not create a deployment, just download");
        var deployOnly = Opts.Flag("--deploy-only", "Do not pull, only deploy");
        var stage = Opts.Flag("--stage", "Enable staging (finalization at reboot time)");
        return new Verb("upgrade", "Construct new tree from current origin and deploy it, if it changed", "ostree admin upgrade --os=debian")
        {
            os, reboot, kexec, allowDowngrade, overrideCommit, pullOnly, deployOnly, stage,
        }.ChangesSysroot((sysroot, parsed) =>
        {
            if (parsed.GetValue(pullOnly) && parsed.GetValue(deployOnly))
            {
                throw new UsageException("Cannot simultaneously specify --pull-only and --deploy-only");
            }

            if (parsed.GetValue(pullOnly) && (parsed.GetValue(reboot) || parsed.GetValue(kexec)))
            {
                throw new UsageException("Cannot simultaneously specify --pull-only and --reboot or --kexec");
            }

            var upgrade = new BranchUpgrade(sysroot, AdminSysroot.Stateroot(sysroot, parsed.GetValue(os), "no OS specified"));
            upgrade.Origin.RemoveTransientState();
            upgrade.Origin.OverrideCommit = parsed.GetValue(overrideCommit);
            Action<string, string>? fetch = parsed.GetValue(deployOnly) ? null : (remote, branch) => RemoteFetch.Run(sysroot, remote, branch, parsed.GetValue(allowDowngrade));
            if (!upgrade.Find(fetch, parsed.GetValue(allowDowngrade)))
            {
                Console.Out.WriteLine("No update available.");
                return;
            }

            if (!parsed.GetValue(pullOnly))
            {
                upgrade.Deploy(parsed.GetValue(stage) || Environment.GetEnvironmentVariable("OSTREE_EX_STAGE_DEPLOYMENTS") is not null, parsed.GetValue(kexec));
            }

            if (parsed.GetValue(reboot))
            {
                Reboot(sysroot);
            }
        });
    }

    /// <summary>Only the machine that runs from this sysroot: a build script must not take its host down.</summary>
    public static void Reboot(Sysroot.Sysroot sysroot)
    {
        if (sysroot.Booted is not null)
        {
            using var process = Process.Start("systemctl", ["reboot"]);
            process.WaitForExit();
        }
    }
}
