using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary><c>usroverlay</c>: try something in <c>/usr</c>.</summary>
internal static class UsrOverlayCommand
{
    public static Command Create()
    {
        var hotfix = Opts.Flag("--hotfix", "Keep the changes over reboots, until the next upgrade; a clone without them stays to roll back to");
        var readOnly = Opts.Flag("--read-only", "Mount it read-only: only who remounts it in a mount namespace of their own can write");
        var verb = new Verb("usroverlay", "Make /usr of the running system writable until the next boot", "oci-ostree usroverlay", "oci-ostree usroverlay --hotfix") { hotfix, readOnly };
        var machine = new MachineSysroot().AddTo(verb);
        return verb.Does(parsed =>
        {
            if (parsed.GetValue(hotfix) && parsed.GetValue(readOnly))
            {
                throw new UsageException("Give either --hotfix or --read-only");
            }

            using var sysroot = machine.Open(parsed, mounts: true);
            sysroot.Unlock(parsed.GetValue(hotfix) ? UnlockedState.Hotfix : parsed.GetValue(readOnly) ? UnlockedState.Transient : UnlockedState.Development);
            Console.Out.WriteLine(parsed.GetValue(hotfix) ? "/usr is writable; what you change stays until the next upgrade, and `oci-ostree rollback` goes back to a clone without it."
                : parsed.GetValue(readOnly) ? "An overlay lies over /usr, read-only; all of it goes with the next boot."
                : "/usr is writable; all changes there go with the next boot.");
        });
    }
}
