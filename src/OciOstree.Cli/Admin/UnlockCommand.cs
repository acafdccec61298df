using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>admin unlock</c>: a writable overlay over the booted deployment's <c>/usr</c>.</summary>
internal static class UnlockCommand
{
    public static Command Create()
    {
        var hotfix = Opts.Flag("--hotfix", "Retain changes across reboots");
        var transient = Opts.Flag("--transient", "Mount overlayfs read-only by default");
        var words = Opts.Rest("ARGS", "Refused");
        return new Verb("unlock", "Make the current deployment mutable (as a hotfix or development)", "ostree admin unlock --hotfix") { hotfix, transient, words }.Takes("").ChangesSysroot(
            (sysroot, parsed) =>
            {
                if (parsed.GetValue(words)!.Length > 0)
                {
                    throw new UsageException("This command takes no extra arguments", withHelp: true);
                }

                AdminSysroot.Booted(sysroot);
                if (parsed.GetValue(hotfix) && parsed.GetValue(transient))
                {
                    throw new SysrootException("Cannot specify both --hotfix and --transient");
                }

                var state = parsed.GetValue(hotfix) ? UnlockedState.Hotfix : parsed.GetValue(transient) ? UnlockedState.Transient : UnlockedState.Development;
                sysroot.Unlock(state);
                Console.Out.Write(Explanation(state));
            },
            mounts: true);
    }

    private static string Explanation(UnlockedState state) => state switch
    {
        UnlockedState.Hotfix => """
            Hotfix mode enabled.  A writable overlayfs is now mounted on /usr
            for this booted deployment.  A non-hotfixed clone has been created
            as the non-default rollback target.

            """,
        UnlockedState.Transient => """
            A writable overlayfs is prepared for /usr, but is mounted read-only by default.
            All changes there will be discarded on reboot.

            """,
        _ => """
            Development mode enabled.  A writable overlayfs is now mounted on /usr.
            All changes there will be discarded on reboot.

            """,
    };
}
