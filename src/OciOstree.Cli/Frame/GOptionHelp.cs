using System.CommandLine;
using System.CommandLine.Parsing;

namespace OciOstree.Cli;

/// <summary>A command's help in the form that GOption gives it, which ostree's users and tests know.</summary>
internal static class GOptionHelp
{
    /// <param name="program">What the program is called as.</param>
    public static void Write(TextWriter output, string program, CommandResult result)
    {
        var command = result.Command;
        output.WriteLine("Usage:");
        output.WriteLine($"  {FullName(program, result)} [OPTION…] {Words(command)}".TrimEnd());
        output.WriteLine();
        if (command is not RootCommand && command.Description is { Length: > 0 } description)
        {
            output.WriteLine(description);
            output.WriteLine();
        }

        if (command.Subcommands.Any(c => !c.Hidden))
        {
            output.WriteLine(command is RootCommand ? "Builtin Commands:" : $"Builtin \"{(command.Name != "admin" && IsAdmin(command) ? $"admin {command.Name}" : command.Name)}\" Commands:");
            // ostree itself pads the words of admin wider.
            var column = Math.Max(command.Name == "admin" ? 25 : 18, command.Subcommands.Where(c => !c.Hidden).Max(c => c.Name.Length) + 2);
            foreach (var subcommand in command.Subcommands.Where(c => !c.Hidden))
            {
                output.WriteLine($"  {subcommand.Name.PadRight(column)}{subcommand.Description}");
            }

            output.WriteLine();
        }

        var options = Options(command).ToList();
        var width = options.Append("-h, --help").Max(o => Label(o, command).Length) + 5;
        output.WriteLine("Help Options:");
        output.WriteLine($"  {"-h, --help".PadRight(width)}Show help options");
        output.WriteLine();
        output.WriteLine("Application Options:");
        foreach (var option in options)
        {
            output.WriteLine($"  {Label(option, command).PadRight(width)}{Description(option)}");
        }

        output.WriteLine();
    }

    /// <summary>The words by which a command is called: <c>oci-ostree container image pull</c>.</summary>
    public static string FullName(string program, CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? at = result; at is CommandResult { Command: not RootCommand } command; at = at.Parent)
        {
            names.Insert(0, command.Command.Name);
        }

        return string.Join(' ', names.Prepend(program));
    }

    private static string Words(Command command)
    {
        if (command is Verb { Syntax: { } syntax })
        {
            return syntax;
        }

        return command.Subcommands.Count > 0
            ? "COMMAND"
            : string.Join(' ', command.Arguments.Select(a => a.Arity.MaximumNumberOfValues > 1 ? $"[{a.Name}...]" : a.Arity.MinimumNumberOfValues == 0 ? $"[{a.Name}]" : a.Name));
    }

    // An option, or the text of one that is not the command's own.
    private static IEnumerable<object> Options(Command command)
    {
        if (command is Ostree.OstreeVerb { UsesRepo: true })
        {
            yield return Globals.Repo;
        }

        if (IsAdmin(command))
        {
            yield return Admin.AdminSysroot.Path;
        }

        foreach (var option in command.Options)
        {
            if (!option.Hidden && !option.Recursive && option.Name != "--help" && option.Name != "--version")
            {
                yield return option;
            }
        }

        yield return Globals.Verbose;
        yield return "--version";
    }

    private static bool IsAdmin(Command command) => command.Name == "admin" || command.Parents.OfType<Command>().Any(IsAdmin);

    private static string Label(object option, Command command)
    {
        if (option is not Option known)
        {
            return (string)option;
        }

        // Where a command has a -v of its own, that is what it means there.
        var shortName = known.Aliases.FirstOrDefault(a => a.Length == 2 && (known != Globals.Verbose || !command.Options.Any(o => o.Aliases.Contains(a))));
        return (shortName is null ? "" : $"{shortName}, ") + known.Name + (known.HelpName is null ? "" : $"={known.HelpName}");
    }

    private static string Description(object option) => option is Option known ? known.Description ?? "" : "Print version information and exit";
}
