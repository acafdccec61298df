using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OciOstree.Repository;

/// <summary>How an archive becomes a tree.</summary>
public sealed record TarCommitOptions
{
    /// <summary>
    /// Makes parent directories that the archive lacks, owned as the entry that needs them, mode 0755. An archive with no entry at all
    /// then is an empty root directory.
    /// </summary>
    public bool AutocreateParents { get; init; }

    /// <summary>Gives entries, and targets of hard links, another path; both are relative to the root, without a slash at the start.</summary>
    public Func<string, string>? TranslatePath { get; init; }

    /// <summary>Parses <c>REGEX,REPLACEMENT</c> as <c>ostree commit --tar-pathname-filter</c> takes it: each match in a path is replaced.</summary>
    /// <exception cref="RepositoryException">There is no comma, or what is before it is no regular expression.</exception>
    public static Func<string, string> ParsePathFilter(string filter)
    {
        int comma = filter.IndexOf(',');
        if (comma < 0)
            throw new RepositoryException("Missing ',' in --tar-pathname-filter");
        string replacement = filter[(comma + 1)..];
        try
        {
            var regex = new Regex(filter[..comma], RegexOptions.CultureInvariant);
            return path => regex.Replace(path, match => Expand(replacement, match));
        }
        catch (ArgumentException e)
        {
            throw new RepositoryException("--tar-pathname-filter", e);
        }
    }

    // GLib's replacement text: \0 … \9 and \g<name> are groups, \n, \t and their like characters, any other escaped character is itself.
    private static string Expand(string replacement, Match match)
    {
        var text = new StringBuilder();
        for (int i = 0; i < replacement.Length; i++)
        {
            char c = replacement[i];
            if (c != '\\' || i + 1 == replacement.Length)
            {
                text.Append(c);
                continue;
            }
            c = replacement[++i];
            if (char.IsAsciiDigit(c))
            {
                text.Append(match.Groups[c - '0'].Value);
            }
            else if (c == 'g' && i + 1 < replacement.Length && replacement[i + 1] == '<' && replacement.IndexOf('>', i) is > 0 and var end)
            {
                string name = replacement[(i + 2)..end];
                text.Append((int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? match.Groups[number] : match.Groups[name]).Value);
                i = end;
            }
            else
            {
                text.Append(c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'f' => '\f', 'v' => '\v', 'a' => '\a', 'e' => '\e', _ => c });
            }
        }
        return text.ToString();
    }
}
