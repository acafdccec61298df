using System.CommandLine;

namespace OciOstree.Cli.Machine;

/// <summary>The words of a machine's owner: what runs, what is next, and how to go back.</summary>
internal static class MachineVerbs
{
    public static void AddTo(Command root)
    {
        root.Add(StatusCommand.Create());
        root.Add(UpgradeCommand.Create());
        root.Add(RebaseCommand.Create());
        root.Add(RollbackCommand.Create());
        root.Add(KargsCommand.Create());
        root.Add(PinCommand.Create());
        root.Add(CleanupCommand.Create());
        root.Add(BootCheckCommand.Create());
        root.Add(InstallCommand.Create());
        root.Add(ConfigDiffCommand.Create());
        root.Add(UsrOverlayCommand.Create());
        root.Add(Container.ImageDeployCommand.Create("deploy"));
    }
}
