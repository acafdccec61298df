using System.CommandLine;
using System.CommandLine.Parsing;

namespace OciOstree.Cli;

/// <summary>The help of a command that has commands: what there is to choose from, in two columns and, for the program itself, in sections.</summary>
internal static class GroupHelp
{
    private const int Gap = 2;

    public static void Write(TextWriter output, Personality personality, CommandResult result, int width)
    {
        var command = result.Command;
        var name = GOptionHelp.FullName(personality.Name, result);
        output.WriteLine($"{command.Description}\n\nUsage:\n  {name} COMMAND [OPTION…]\n  {name} COMMAND --help\n");

        // Sections count hidden commands, too.
        var commands = command.Subcommands.ToList();
        var sections = command is RootCommand && personality.Sections.Count > 0 ? personality.Sections : [("Commands", commands.Count)];
        var options = command.Options.Concat(Inherited(command)).Where(option => !option.Hidden).ToList();
        var column = commands.Where(c => !c.Hidden).Select(Label).Concat(options.Select(Label)).Max(label => label.Length) + Gap;
        var begin = 0;
        foreach (var (heading, end) in sections)
        {
            Write(output, heading, commands[begin..end].Where(c => !c.Hidden), column, width);
            begin = end;
        }

        Write(output, "Options", options, column, width);
    }

    private static void Write(TextWriter output, string heading, IEnumerable<Symbol> symbols, int column, int width)
    {
        output.WriteLine($"{heading}:");
        foreach (var symbol in symbols)
        {
            var line = $"  {Label(symbol).PadRight(column)}";
            var start = line.Length;
            foreach (var word in (symbol.Description ?? "").Split(' '))
            {
                if (line.Length > start && line.Length + word.Length > width)
                {
                    output.WriteLine(line.TrimEnd());
                    line = new string(' ', start);
                }

                line += word + " ";
            }

            output.WriteLine(line.TrimEnd());
        }

        output.WriteLine();
    }

    private static IEnumerable<Option> Inherited(Command command) =>
        command.Parents.OfType<Command>().SelectMany(parent => parent.Options.Where(option => option.Recursive).Concat(Inherited(parent)));

    private static string Label(Symbol symbol) => symbol switch
    {
        Option option => string.Join(", ", option.Aliases.Where(alias => alias.Length == 2).Append(option.Name)) + (option.HelpName is null ? "" : $"={option.HelpName}"),
        Command command => string.Join(", ", command.Aliases.Prepend(command.Name)),
        _ => symbol.Name,
    };
}
