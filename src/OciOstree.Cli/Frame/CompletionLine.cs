using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace OciOstree.Cli;

/// <summary>
/// The line that a shell asks to be completed. Behind an option with a value System.CommandLine offers nothing but further values of it, so such options
/// are taken out; only the repository, which says what images there are, goes to the front.
/// </summary>
internal static class CompletionLine
{
    private const string Directive = "[suggest:";

    public static string[] Simplify(RootCommand root, string[] args)
    {
        if (args is not [var directive, var line] || !directive.StartsWith(Directive, StringComparison.Ordinal)
            || !int.TryParse(directive[Directive.Length..].TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out var position))
        {
            return args;
        }

        line = line[..Math.Min(position, line.Length)];
        var begun = line[(line.LastIndexOf(' ') + 1)..];
        string[] words = [.. CommandLineParser.SplitCommandLine(line[..^begun.Length])];
        if (words.Length == 0)
        {
            return args;
        }

        var command = root.Parse(words[1..]).CommandResult;
        List<string> kept = [words[0]];
        for (var at = 1; at < words.Length; at++)
        {
            var word = words[at];
            var equals = word.StartsWith("--", StringComparison.Ordinal) ? word.IndexOf('=') : -1;
            var name = equals < 0 ? word : word[..equals];
            if (!name.StartsWith('-') || !Entry.TakesValue(command, name))
            {
                kept.Add(word);
            }
            else if (equals < 0 && at + 1 == words.Length)
            {
                // Its value is what is asked for.
                kept.Add(name);
            }
            else
            {
                var value = equals < 0 ? words[++at] : word[(equals + 1)..];
                if (name == Globals.Repo.Name)
                {
                    kept.Insert(1, $"{name}={value}");
                }
            }
        }

        var simplified = string.Join(' ', kept.Select(word => word.Contains(' ') ? $"\"{word}\"" : word)) + " " + begun;
        return [$"{Directive}{simplified.Length}]", simplified];
    }
}
