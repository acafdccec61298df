using System.CommandLine;

namespace OciOstree.Cli.Machine;

/// <summary>The words of a machine's owner: what runs, what is next, and how to go back.</summary>
internal static class MachineVerbs
{
    public static void AddTo(Command root)
    {
        root.Add(Container.InspectCommand.Create());
    }
}
