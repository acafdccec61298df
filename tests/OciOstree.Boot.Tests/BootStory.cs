using System.Globalization;

namespace OciOstree.Boot.Tests;

/// <summary>What a guest told: lines of a boot's number, a word and its value, in order.</summary>
internal sealed class BootStory
{
    private readonly List<(int Boot, string Text)> lines;

    private BootStory(List<(int, string)> lines, string everything)
    {
        this.lines = lines;
        Everything = everything;
    }

    /// <summary>All of it, and the console's end, for a failing test's message.</summary>
    internal string Everything { get; }

    internal int Boots => lines.Select(line => line.Boot).Distinct().Count();

    internal static BootStory Parse(string text, string console)
    {
        var lines = new List<(int, string)>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int space = line.IndexOf(' ');
            if (space > 0 && int.TryParse(line.AsSpan(0, space), CultureInfo.InvariantCulture, out int boot))
                lines.Add((boot, line[(space + 1)..]));
        }
        return new BootStory(lines, $"{text}\n--- console\n{console}");
    }

    /// <summary>The value of the line that begins with these words; fails the test, with the whole story, if there is none.</summary>
    internal string Tell(int boot, string words)
    {
        foreach (var (at, text) in lines)
        {
            if (at == boot && text.StartsWith(words + " ", StringComparison.Ordinal))
                return text[(words.Length + 1)..];
        }
        Assert.Fail($"boot {boot} did not tell \"{words}\":\n{Everything}");
        return "";
    }

    /// <summary>The <c>ostree=</c> of the kernel command line.</summary>
    internal string Deployment(int boot) => Tell(boot, "cmdline").Split(' ').Single(word => word.StartsWith("ostree=", StringComparison.Ordinal));

    /// <summary>What a command printed, line by line.</summary>
    internal IEnumerable<string> Output(int boot, string name) =>
        lines.Where(line => line.Boot == boot && line.Text.StartsWith($"out {name} ", StringComparison.Ordinal)).Select(line => line.Text[$"out {name} ".Length..]);

    /// <summary>Fails the test unless the words have this value.</summary>
    internal void Expect(int boot, string words, string value)
    {
        string told = Tell(boot, words);
        if (told != value)
            Assert.Fail($"boot {boot} told \"{words} {told}\", expected \"{value}\":\n{Everything}");
    }

    /// <summary>Fails the test unless the command succeeded.</summary>
    internal void ExpectSuccess(int boot, string command)
    {
        string told = Tell(boot, "exit " + command);
        if (!told.StartsWith("0 ", StringComparison.Ordinal))
            Assert.Fail($"boot {boot}: {command} failed ({told}): {string.Join('\n', Output(boot, command))}\n{Everything}");
    }
}
