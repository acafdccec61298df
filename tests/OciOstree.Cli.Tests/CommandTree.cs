using System.CommandLine;

namespace OciOstree.Cli.Tests;

/// <summary>All commands of a name, with the words that lead to each.</summary>
internal static class CommandTree
{
    public static IEnumerable<(string[] Words, Command Command)> Of(string calledAs)
    {
        string[] none = [];
        return Below([], Personality.Named(calledAs).Build(ref none));
    }

    /// <summary>Those that can be called, not only chosen from.</summary>
    public static IEnumerable<(string[] Words, Command Command)> VerbsOf(string calledAs) => Of(calledAs).Where(found => found.Command.Subcommands.Count == 0);

    private static IEnumerable<(string[] Words, Command Command)> Below(string[] words, Command command) =>
        command.Subcommands.SelectMany(child => Below([.. words, child.Name], child)).Prepend((words, command));
}
