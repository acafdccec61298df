using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace OciOstree.Cli;

/// <summary>The standard help of a command, then its examples.</summary>
internal sealed class VerbHelp(HelpAction standard) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        standard.MaxWidth = Math.Max(80, TerminalWidth());
        var code = standard.Invoke(parseResult);
        if (parseResult.CommandResult.Command is Verb { Examples.Count: > 0 } verb)
        {
            var output = parseResult.InvocationConfiguration.Output;
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
