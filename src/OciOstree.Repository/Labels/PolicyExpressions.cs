using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// The lines of a policy's <c>file_contexts</c> and companions, of which a directory needs only some. libselinux tries one expression after the other: below
/// <c>/usr</c> a large policy has thousands, though few of them can match a given path. Which label comes of those that can is left to libselinux.
/// </summary>
internal sealed class PolicyExpressions
{
    private readonly List<KeyValuePair<string, byte[]>> texts;
    private readonly List<Line> lines = [];
    private readonly List<string> substituted = [];

    /// <param name="contexts">Texts by what follows <c>file_contexts</c> in their names.</param>
    internal PolicyExpressions(List<KeyValuePair<string, byte[]>> contexts)
    {
        texts = contexts;
        foreach ((string suffix, byte[] text) in contexts)
        {
            string content = Encoding.Latin1.GetString(text);
            if (suffix.Contains(".subs", StringComparison.Ordinal))
            {
                foreach (string line in content.Split('\n'))
                    if (line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var path, ..] && path[0] != '#')
                        substituted.Add(path.TrimEnd('/') + "/");
                continue;
            }
            foreach (string line in content.Split('\n'))
                if (line.TrimStart() is { Length: > 0 } trimmed && trimmed[0] != '#')
                    lines.Add(new Line(suffix, line, LiteralStart(FirstWord(trimmed))));
        }
        All = [.. Enumerable.Range(0, lines.Count)];
    }

    /// <summary>Every line, by number.</summary>
    internal int[] All { get; }

    /// <summary>Those of some lines that can match a path beneath a directory (<c>/usr/share</c>).</summary>
    internal int[] ThatMatchBeneath(string directory, int[] among)
    {
        string beneath = directory + "/";
        return Array.FindAll(among, index => Meet(lines[index].Start, beneath));
    }

    /// <summary>Whether the policy may take a path beneath a directory for another one.</summary>
    /// <param name="everywhere">Whether it does so with all of them, however deep.</param>
    internal bool MaySubstituteBeneath(string directory, out bool everywhere)
    {
        string beneath = directory + "/";
        everywhere = substituted.Exists(path => beneath.StartsWith(path, StringComparison.Ordinal));
        return everywhere || substituted.Exists(path => path.StartsWith(beneath, StringComparison.Ordinal));
    }

    /// <summary>Makes all of them ready to be searched, and whatever else the texts say.</summary>
    /// <exception cref="LinuxException">libselinux does not take them.</exception>
    internal FileContexts OpenAll() => Open(texts);

    /// <summary>Makes some lines ready to be searched, for paths that the policy does not take for others.</summary>
    internal FileContexts Open(int[] some) => Open(
    [
        // There must be one of that name, be there lines in it or not.
        new("", []),
        .. some.Select(index => lines[index]).GroupBy(static line => line.Suffix)
            .Select(static file => KeyValuePair.Create(file.Key, Encoding.Latin1.GetBytes(string.Concat(file.Select(static line => line.Text + "\n"))))),
    ]);

    private static FileContexts Open(IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        // libselinux reads from paths only, and reads all of it at once. Nobody else can get into the directory.
        DirectoryInfo directory = Directory.CreateTempSubdirectory("ostree-sepolicy-");
        try
        {
            string path = Path.Combine(directory.FullName, "file_contexts");
            foreach ((string suffix, byte[] text) in files)
                File.WriteAllBytes(path + suffix, text);
            return FileContexts.Open(path);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>What every path that an expression matches begins with.</summary>
    internal static string LiteralStart(ReadOnlySpan<char> expression)
    {
        // An alternative at the top is another expression, whose beginning is its own.
        if (HasTopLevelAlternative(expression))
            return "";
        var start = new StringBuilder();
        for (int at = 0; at < expression.Length; at++)
        {
            char c = expression[at];
            if (c is '?' or '*' or '{')
            {
                // The character before need not be there.
                start.Length = Math.Max(0, start.Length - 1);
                break;
            }
            if (c == '\\' && at + 1 < expression.Length && char.IsAscii(expression[at + 1]) && !char.IsAsciiLetterOrDigit(expression[at + 1]))
                c = expression[++at];
            else if (c is '\\' or '.' or '^' or '$' or '+' or '|' or '[' or ']' or '(' or ')' or '}' || !char.IsAscii(c))
                break;
            start.Append(c);
        }
        return start.ToString();
    }

    private static bool HasTopLevelAlternative(ReadOnlySpan<char> expression)
    {
        int depth = 0;
        for (int at = 0; at < expression.Length; at++)
        {
            switch (expression[at])
            {
                case '\\' when at + 1 < expression.Length && expression[at + 1] == 'Q':
                    return true; // quotes what follows; nobody does that in a policy
                case '\\':
                    at++;
                    break;
                case '[':
                    at = EndOfClass(expression, at);
                    break;
                case '(':
                    depth++;
                    break;
                case ')':
                    depth--;
                    break;
                case '|' when depth <= 0:
                    return true;
            }
        }
        return false;
    }

    private static int EndOfClass(ReadOnlySpan<char> expression, int at)
    {
        at++;
        if (at < expression.Length && expression[at] == '^')
            at++;
        // A bracket that comes first is one of the characters.
        for (bool first = true; at < expression.Length && (first || expression[at] != ']'); first = false, at++)
        {
            if (expression[at] == '\\')
                at++;
            else if (expression[at] == '[' && at + 1 < expression.Length && expression[at + 1] == ':' && expression[at..].IndexOf(":]") is >= 0 and var end)
                at += end + 1;
        }
        return at;
    }

    private static ReadOnlySpan<char> FirstWord(string line) => line.AsSpan(0, line.AsSpan().IndexOfAny(" \t\r\f\v") is >= 0 and var end ? end : line.Length);

    private static bool Meet(string start, string beneath) => beneath.StartsWith(start, StringComparison.Ordinal) || start.StartsWith(beneath, StringComparison.Ordinal);

    private sealed record Line(string Suffix, string Text, string Start);
}
