using System.Globalization;
using System.Text;

namespace OciOstree.Container;

/// <summary>The lines of systemd's <c>tmpfiles.d</c> and <c>sysusers.d</c> in a tree: fields apart by blanks, some of them quoted.</summary>
internal static class SystemdLines
{
    private static readonly string[] Places = ["etc", "run", "usr/local/lib", "usr/lib"];

    internal static bool IsConfiguration(string path) =>
        path.EndsWith(".conf", StringComparison.Ordinal) && (path.Contains("/tmpfiles.d/", StringComparison.Ordinal) || path.Contains("/sysusers.d/", StringComparison.Ordinal));

    /// <summary>All lines of a kind (<c>tmpfiles.d</c>), split into fields. A file hides those of its name in later places.</summary>
    internal static IEnumerable<IReadOnlyList<string>> Read(LintRun run, string kind)
    {
        var files = new SortedDictionary<string, RootNode>(StringComparer.Ordinal);
        foreach (var place in Places)
        {
            foreach (var file in run.Files($"{place}/{kind}", ".conf"))
            {
                files.TryAdd(file.Name, file);
            }
        }

        foreach (var file in files.Values)
        {
            // A link to /dev/null, which no tree has, switches the file off.
            foreach (var line in (run.Tree.ReadText(file.Path) ?? "").Split('\n'))
            {
                if (line.TrimStart() is { Length: > 0 } text && text[0] != '#' && Fields(text) is { Count: > 1 } fields)
                {
                    yield return fields;
                }
            }
        }
    }

    internal static List<string> Fields(string line)
    {
        List<string> fields = [];
        var field = new StringBuilder();
        char? quote = null;
        var started = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c == '\\' && i + 1 < line.Length)
            {
                started = true;
                i = Unescape(line, i + 1, field);
            }
            else if (quote == c)
            {
                quote = null;
            }
            else if (quote is null && c is '"' or '\'')
            {
                (quote, started) = (c, true);
            }
            else if (quote is null && char.IsWhiteSpace(c))
            {
                if (started)
                {
                    fields.Add(field.ToString());
                    field.Clear();
                    started = false;
                }
            }
            else
            {
                started = true;
                field.Append(c);
            }
        }

        if (started)
        {
            fields.Add(field.ToString());
        }

        return fields;
    }

    /// <summary>A path as a field of such a line.</summary>
    internal static string Quote(string path)
    {
        var quoted = new StringBuilder();
        foreach (var c in path)
        {
            switch (c)
            {
                case '%':
                    quoted.Append("%%");
                    break;
                case '\\':
                    quoted.Append("\\\\");
                    break;
                case <= ' ' or '"' or '\'' or '\x7f':
                    quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
                    break;
                default:
                    quoted.Append(c);
                    break;
            }
        }

        return quoted.ToString();
    }

    private static int Unescape(string line, int at, StringBuilder field)
    {
        switch (line[at])
        {
            case 'n':
                field.Append('\n');
                return at;
            case 't':
                field.Append('\t');
                return at;
            case 'x' when at + 2 < line.Length && byte.TryParse(line.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value):
                field.Append((char)value);
                return at + 2;
            default:
                field.Append(line[at]);
                return at;
        }
    }
}
