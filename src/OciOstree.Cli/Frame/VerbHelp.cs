using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace OciOstree.Cli;

/// <summary>The standard help of a command, then its examples; for ostree's own words and under ostree's name, help in ostree's form.</summary>
internal sealed class VerbHelp(HelpAction standard, Personality personality) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        if (personality.IsOstree)
        {
            GOptionHelp.Write(output, personality.Name, parseResult.CommandResult);
            return ExitCodes.Ok;
        }

        standard.MaxWidth = Math.Max(80, TerminalWidth());
        var code = ExitCodes.Ok;
        // The standard help says nothing at all of a hidden command.
        if (parseResult.CommandResult.Command is Ostree.OstreeVerb or { Hidden: true })
        {
            GOptionHelp.Write(output, personality.Name, parseResult.CommandResult);
        }
        else if (parseResult.CommandResult.Command.Subcommands.Count > 0)
        {
            GroupHelp.Write(output, personality, parseResult.CommandResult, standard.MaxWidth);
        }
        else
        {
            code = standard.Invoke(parseResult);
        }

        if (((parseResult.CommandResult.Command as Verb)?.Examples ?? personality.Examples) is { Count: > 0 } examples)
        {
            output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in examples)
            {
                output.WriteLine($"  {example}");
            }

            output.WriteLine();
        }

        return code;
    }

    private static int TerminalWidth()
    {
        try
        {
            return Console.IsOutputRedirected ? 100 : Console.WindowWidth;
        }
        catch (IOException)
        {
            return 100;
        }
    }
}
