using System.CommandLine;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>admin switch</c>: from one branch to another; the old branch's ref goes.</summary>
internal static class SwitchCommand
{
    public static Command Create()
    {
        var refspec = Opts.Optional("REFSPEC", "Branch to go to, REMOTE:BRANCH, or REMOTE: for the same branch elsewhere");
        var os = Opts.Value("--os", "OSNAME", "Use a different operating system root than the current one", "--stateroot");
        var reboot = Opts.Flag("--reboot", "Reboot after switching trees", "-r");
        var kexec = Opts.Flag("--kexec", "Stage new kernel in kexec", "-k");
        return new Verb("switch", "Construct new tree from REFSPEC and deploy it", "ostree admin switch --os=debian debian/testing") { refspec, reboot, kexec, os }.Takes("REFSPEC").ChangesSysroot((sysroot, parsed) =>
        {
            var asked = parsed.GetValue(refspec) ?? throw new UsageException("REFSPEC must be specified");
            var upgrade = new BranchUpgrade(sysroot, AdminSysroot.Stateroot(sysroot, parsed.GetValue(os), "no OS specified"), evenUnconfigured: true);
            var before = RefSpec.Parse(upgrade.Origin.Refspec!);
            var (remote, name) = asked.EndsWith(':') ? (asked[..^1], before.Name) : (RefSpec.Parse(asked).Remote, RefSpec.Parse(asked).Name);
            remote ??= before.Remote;
            var after = remote is null ? name : $"{remote}:{name}";
            if (after == upgrade.Origin.Refspec)
            {
                throw new SysrootException($"Old and new refs are equal: {after}");
            }

            var old = upgrade.Origin.Refspec!;
            upgrade.Origin = Origin.FromRefspec(after);
            // Branches have no order in time.
            upgrade.Find((from, branch) => RemoteFetch.Run(sysroot, from, branch, allowOlder: true), allowOlder: true);
            upgrade.Deploy(Environment.GetEnvironmentVariable("OSTREE_EX_STAGE_DEPLOYMENTS") is not null, parsed.GetValue(kexec));
            Console.Out.WriteLine($"Deleting ref '{before.Remote ?? "(null)"}:{before.Name}'");
            using (var transaction = sysroot.Repo.BeginTransaction())
            {
                transaction.SetRef(old, null);
                transaction.Commit();
            }

            if (parsed.GetValue(reboot))
            {
                UpgradeCommand.Reboot(sysroot);
            }
        });
    }
}
