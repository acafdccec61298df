using System.Text;

namespace OciOstree.Sysroot;

/// <summary>The assignments of an <c>os-release(5)</c> file.</summary>
internal static class OsRelease
{
    public static Dictionary<string, string> Parse(string content)
    {
        var values = new Dictionary<string, string>();
        foreach (string line in content.Split('\n'))
        {
            int equals = line.IndexOf('=');
            if (equals >= 0 && !line.StartsWith('#') && Unquote(line.AsSpan(equals + 1)) is { } value)
            {
                values[line[..equals]] = value;
            }
        }
        return values;
    }

    /// <summary>Takes a shell word's quotes away; null when a quote is left open.</summary>
    internal static string? Unquote(ReadOnlySpan<char> text)
    {
        var value = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\':
                    if (++i < text.Length)
                    {
                        value.Append(text[i]);
                    }
                    break;
                case '\'':
                    int end = text[(i + 1)..].IndexOf('\'');
                    if (end < 0)
                    {
                        return null;
                    }
                    value.Append(text.Slice(i + 1, end));
                    i += end + 1;
                    break;
                case '"':
                    for (i++; ; i++)
                    {
                        if (i >= text.Length)
                        {
                            return null;
                        }
                        if (text[i] == '"')
                        {
                            break;
                        }
                        if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '"' or '\\' or '`' or '$')
                        {
                            i++;
                        }
                        value.Append(text[i]);
                    }
                    break;
                default:
                    value.Append(text[i]);
                    break;
            }
        }
        return value.ToString();
    }
}
