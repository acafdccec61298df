using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;

namespace OciOstree.Cli;

/// <summary>One run of the program: picks the command line by the name it was called by, parses, invokes, and turns failures into exit codes.</summary>
internal static class Entry
{
    private static readonly CancellationTokenSource Interrupted = new();

    /// <summary>Cancelled by the first SIGINT or SIGTERM, so that a verb can undo its work; a second signal ends the process at once.</summary>
    public static CancellationToken Cancellation => Interrupted.Token;

    public static int Run(string calledAs, string[] args)
    {
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);

        var personality = Personality.Named(Path.GetFileNameWithoutExtension(calledAs));
        ParseResult? parsed = null;
        try
        {
            parsed = Parse(personality, args);
            if (UsageProblem(parsed) is { } problem)
            {
                if (!personality.IsOstree)
                {
                    Console.Error.WriteLine($"error: {problem}");
                    Console.Error.WriteLine($"See '{GOptionHelp.FullName(personality.Name, parsed.CommandResult)} --help'.");
                }
                else
                {
                    // As ostree: a command that is missing or unknown gets the list of those there are.
                    if (parsed.CommandResult.Command.Subcommands.Count > 0 && UnknownOption(parsed) is null)
                    {
                        GOptionHelp.Write(Console.Error, personality.Name, parsed.CommandResult);
                    }

                    Console.Error.WriteLine($"error: {problem}");
                }

                return personality.UsageExitCode(parsed);
            }

            return parsed.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // Verbs watch Cancellation themselves and must be let finish their undoing.
                ProcessTerminationTimeout = null,
            });
        }
        catch (OperationCanceledException) when (Interrupted.IsCancellationRequested)
        {
            Console.Error.WriteLine("error: interrupted");
            return ExitCodes.Interrupted;
        }
        catch (UsageException e)
        {
            if (e.WithHelp && parsed is not null)
            {
                GOptionHelp.Write(Console.Error, personality.Name, parsed.CommandResult);
                Console.Error.WriteLine();
            }

            Console.Error.WriteLine($"error: {e.Message}");
            return personality.UsageExitCode(parsed);
        }
        catch (Exception e)
        {
            Failure.Print(e, parsed?.GetValue(Globals.Verbose) == true);
            return ExitCodes.Failed;
        }
        finally
        {
            Console.Out.Flush();
        }
    }

    public static ParseResult Parse(Personality personality, string[] args)
    {
        var root = personality.Build(ref args);
        args = CompletionLine.Simplify(root, args);
        return root.Parse(WithEmptyValues(FlagValues.Drop(root, args, personality.IsOstree)), new ParserConfiguration { ResponseFileTokenReplacer = null });
    }

    /// <summary>To System.CommandLine <c>--option=</c> has no value; to everyone else it has an empty one.</summary>
    private static string[] WithEmptyValues(string[] args)
    {
        var end = Array.IndexOf(args, "--") is >= 0 and var dashes ? dashes : args.Length;
        return [.. args.SelectMany((word, at) => at < end && word.StartsWith("--", StringComparison.Ordinal) && word.IndexOf('=') == word.Length - 1 ? [word[..^1], ""] : (string[])[word])];
    }

    private static void Interrupt(PosixSignalContext context)
    {
        if (!Interrupted.IsCancellationRequested)
        {
            context.Cancel = true;
            Interrupted.Cancel();
        }
    }

    /// <summary>What is wrong with the words given, or null. A request for help or completions is never wrong: its action has cleared the errors.</summary>
    public static string? UsageProblem(ParseResult parsed)
    {
        if (parsed.Action is VerbHelp or VersionAction || parsed.Tokens.Any(t => t.Type == TokenType.Directive))
        {
            return null;
        }

        if (UnknownOption(parsed) is { } option)
        {
            return option;
        }

        if (parsed.CommandResult.Command is { Subcommands.Count: > 0 } command)
        {
            var group = command is RootCommand ? "" : $"\"{command.Name}\" sub";
            if (parsed.UnmatchedTokens.Count > 0)
            {
                return $"Unknown {group}command '{parsed.UnmatchedTokens[0]}'";
            }

            if (command.Action is null)
            {
                return $"No {group}command specified";
            }
        }

        foreach (var child in parsed.CommandResult.Children)
        {
            if (child is OptionResult { Implicit: false, Tokens.Count: 0, Option.Arity.MinimumNumberOfValues: > 0, IdentifierToken: { } given })
            {
                return $"Missing argument for {given.Value}";
            }
        }

        if (parsed.Errors.Count > 0 && parsed.CommandResult.Command.Arguments.FirstOrDefault(word => (parsed.GetResult(word)?.Tokens.Count ?? 0) < word.Arity.MinimumNumberOfValues) is { } missing)
        {
            return $"Missing {missing.Name}";
        }

        return parsed.Errors.Count > 0 ? parsed.Errors[0].Message.TrimEnd('.') : null;
    }

    /// <summary>
    /// The first word that looks like an option and is none. System.CommandLine hands such a word to a verb's arguments,
    /// where a mistyped option would become a file name.
    /// </summary>
    private static string? UnknownOption(ParseResult parsed)
    {
        var valueExpected = false;
        foreach (var token in parsed.Tokens)
        {
            if (token.Type == TokenType.DoubleDash)
            {
                return null;
            }

            if (token.Type == TokenType.Argument && !valueExpected && token.Value.Length > 1 && token.Value[0] == '-')
            {
                return $"Unknown option {token.Value}";
            }

            valueExpected = token.Type == TokenType.Option && TakesValue(parsed.CommandResult, token.Value);
        }

        return null;
    }

    internal static bool TakesValue(CommandResult? command, string name)
    {
        for (; command is not null; command = command.Parent as CommandResult)
        {
            foreach (var option in command.Command.Options)
            {
                if (option.Name == name || option.Aliases.Contains(name))
                {
                    return option.Arity.MaximumNumberOfValues > 0;
                }
            }
        }

        return false;
    }
}
