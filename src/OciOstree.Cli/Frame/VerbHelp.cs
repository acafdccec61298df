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
        if (parseResult.CommandResult.Command is Ostree.OstreeVerb)
        {
            GOptionHelp.Write(output, personality.Name, parseResult.CommandResult);
        }
        else
        {
            code = standard.Invoke(parseResult);
        }

        if (parseResult.CommandResult.Command is Verb { Examples.Count: > 0 } verb)
        {
            output.WriteLine(verb.Examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in verb.Examples)
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
