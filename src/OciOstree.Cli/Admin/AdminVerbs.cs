using System.CommandLine;

namespace OciOstree.Cli.Admin;

/// <summary>The words of <c>ostree admin</c>: deployments of a sysroot.</summary>
internal static class AdminVerbs
{
    public static Command Group()
    {
        var group = new Verb("admin", "Commands for managing a host system booted with ostree", "ostree admin status")
        {
            AdminSysroot.Path,
            AdminSysroot.PrintCurrentDirectory,
            BootCompleteCommand.Create(),
            CleanupCommand.Create(),
            ConfigDiffCommand.Create(),
            DeployCommand.Create(),
            FinalizeStagedCommand.Create(),
            InitFsCommand.Create(),
            StaterootInitCommand.Create("os-init"),
            StaterootInitCommand.Create("stateroot-init"),
            InstutilCommand.Create(),
            KargsCommand.Create(),
            LockFinalizationCommand.Create(),
            PinCommand.Create(),
            PostCopyCommand.Create(),
            PrepareSoftRebootCommand.Create(),
            SetDefaultCommand.Create(),
            SetOriginCommand.Create(),
            StateOverlayCommand.Create(),
            StatusCommand.Create(),
            SwitchCommand.Create(),
            ThawCommand.Create(),
            UndeployCommand.Create(),
            UnlockCommand.Create(),
            UpgradeCommand.Create(),
        };
        group.SetAction(parsed =>
        {
            if (!AdminSysroot.PrintedCurrentDirectory(parsed))
            {
                throw new UsageException("No \"admin\" subcommand specified", withHelp: true);
            }

            return ExitCodes.Ok;
        });
        return group;
    }
}
