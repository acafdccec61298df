using System.CommandLine;

namespace OciOstree.Cli.Admin;

internal static class LockFinalizationCommand
{
    public static Command Create()
    {
        var unlock = Opts.Flag("--unlock", "Unlock finalization", "-u");
        return new Verb("lock-finalization", "Change the finalization locking state of the staged deployment", "ostree admin lock-finalization --unlock")
        {
            unlock,
        }.ChangesSysroot((sysroot, parsed) =>
        {
            var wantsUnlocked = parsed.GetValue(unlock);
            var changed = sysroot.SetFinalizationLocked(!wantsUnlocked);
            Console.Out.WriteLine((wantsUnlocked, changed) switch
            {
                (true, false) => "Staged deployment is already prepared for finalization",
                (false, false) => "Staged deployment is already finalization locked",
                (true, true) => "Staged deployment is now queued to apply on shutdown",
                (false, true) => "Staged deployment is now finalization locked",
            });
        });
    }
}
