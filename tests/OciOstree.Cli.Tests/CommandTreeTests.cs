using System.CommandLine;

namespace OciOstree.Cli.Tests;

/// <summary>What every command promises, for all commands of all names that the program goes by.</summary>
public class CommandTreeTests
{
    public static TheoryData<string> Names => new(Called.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryCommandOptionAndWordIsDescribed(string calledAs)
    {
        Assert.All(CommandTree.Of(calledAs), found =>
        {
            Assert.False(string.IsNullOrWhiteSpace(found.Command.Description), string.Join(' ', found.Words));
            Assert.All(found.Command.Options.Where(option => !option.Hidden), option => Assert.False(string.IsNullOrWhiteSpace(option.Description), $"{string.Join(' ', found.Words)} {option.Name}"));
            // A description is a sentence in a list: no full stop, one line.
            Assert.DoesNotContain('\n', found.Command.Description!);
            Assert.False(found.Command.Description!.EndsWith('.'), $"{string.Join(' ', found.Words)}: {found.Command.Description}");
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryCommandHasHelp(string calledAs)
    {
        Assert.All(CommandTree.Of(calledAs), found =>
        {
            var (code, output, error) = Called.Run(calledAs, [.. found.Words, "--help"]);
            Assert.Equal((0, ""), (code, error));
            Assert.Contains("Usage:\n", output);
            Assert.Contains($"  {string.Join(' ', found.Words.Prepend(found.Command is Ostree.OstreeVerb { } or { Hidden: true } || found.Command.Subcommands.Count > 0 || calledAs == "ostree" ? calledAs : RootCommand.ExecutableName))} ", output);
            // As ostree the help has ostree's form, which knows no examples.
            if (calledAs != "ostree")
            {
                var examples = output[(output.IndexOf("\nExample", StringComparison.Ordinal) + 1)..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
                Assert.StartsWith("Example", examples[0]);
                Assert.NotEmpty(examples[1..]);
                Assert.All(examples[1..], example => Assert.NotEmpty(ShellLine.Calls(example)));
            }

            // ostree's help names what belongs to a whole group only at the verbs in it.
            foreach (var option in found.Command.Options.Where(option => !option.Hidden && (calledAs != "ostree" || found.Command.Subcommands.Count == 0)))
                Assert.Contains(option.Name, output);
            foreach (var command in found.Command.Subcommands.Where(command => !command.Hidden))
                Assert.Contains($"  {command.Name}", output);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryExampleParses(string calledAs)
    {
        Assert.All(CommandTree.Of(calledAs), found =>
        {
            var examples = found.Command is Verb verb ? verb.Examples : Personality.Named(calledAs).Examples;
            Assert.NotEmpty(examples);
            foreach (var (name, words) in examples.SelectMany(ShellLine.Calls))
            {
                var parsed = Entry.Parse(Personality.Named(name), words);
                Assert.Null(Entry.UsageProblem(parsed));
            }
            // One of them is of the command itself, not of a neighbour.
            if (found.Command.Subcommands.Count == 0)
                Assert.Contains(examples.SelectMany(ShellLine.Calls), call => Entry.Parse(Personality.Named(call.CalledAs), call.Words).CommandResult.Command is var called && (called.Name == found.Command.Name || called.Aliases.Contains(found.Command.Name)));
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AnUnknownOptionIsOneClearLine(string calledAs)
    {
        Assert.All(CommandTree.Of(calledAs), found =>
        {
            var (code, output, error) = Called.Run(calledAs, [.. found.Words, "--no-such-option"]);
            Assert.Equal((calledAs == "ostree" && found.Words is not ["container", ..] ? 1 : 2, ""), (code, output));
            Assert.Equal("error: Unknown option --no-such-option", error.Split('\n')[0]);
            Assert.Equal(calledAs == "ostree" ? 1 : 2, error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryCommandAndOptionIsSuggested(string calledAs)
    {
        Assert.All(CommandTree.Of(calledAs).Where(found => !found.Command.Hidden), found =>
        {
            var line = string.Join(' ', found.Words.Prepend(calledAs)) + " ";
            Assert.Superset(found.Command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name).ToHashSet(), Suggested(line));
            Assert.Superset(found.Command.Options.Where(o => !o.Hidden).Select(o => o.Name).ToHashSet(), Suggested(line + "--"));
        });

        HashSet<string> Suggested(string line)
        {
            var (code, output, _) = Called.Run(calledAs, $"[suggest:{line.Length}]", line);
            Assert.Equal(0, code);
            return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NoOptionMeansTwoThings(string calledAs)
    {
        Assert.All(CommandTree.Of(calledAs), found =>
        {
            var names = found.Command.Options.SelectMany(option => option.Aliases.Append(option.Name)).ToList();
            Assert.Equal(names.Distinct(), names);
        });
    }

    [Fact]
    public void WhatShowsProgressCanBeQuiet()
    {
        // Verbs of ours that move layers, which inspect does not; ostree's own have ostree's options.
        var movers = CommandTree.VerbsOf("oci-ostree").Where(found => found.Command.Name != "inspect" && found.Command.Options.Any(option => option.Name == "--authfile")).ToList();
        Assert.NotEmpty(movers);
        Assert.All(movers, found => Assert.Contains(found.Command.Options, option => option.Name == "--quiet" && option.Aliases.Contains("-q")));
    }
}
