using System.Text;

namespace OciOstree.Registry.Http;

/// <summary>One challenge of a <c>WWW-Authenticate</c> header (RFC 9110, section 11.6.1).</summary>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>Reads a header's challenges; what makes no sense is left out.</summary>
    internal static List<Challenge> Parse(string header)
    {
        var challenges = new List<Challenge>();
        Dictionary<string, string>? parameters = null;
        var position = 0;
        while (true)
        {
            Skip(header, ref position, " \t,");
            var word = Token(header, ref position);
            if (word.Length == 0)
            {
                return challenges;
            }

            Skip(header, ref position, " \t");
            if (position < header.Length && header[position] == '=' && parameters is not null)
            {
                position++;
                Skip(header, ref position, " \t");
                parameters[word] = position < header.Length && header[position] == '"' ? Quoted(header, ref position) : Token(header, ref position);
            }
            else
            {
                parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                challenges.Add(new Challenge(word, parameters));
            }
        }
    }

    private static void Skip(string text, ref int position, string what)
    {
        while (position < text.Length && what.Contains(text[position]))
        {
            position++;
        }
    }

    private static string Token(string text, ref int position)
    {
        var start = position;
        while (position < text.Length && !" \t,=\"".Contains(text[position]))
        {
            position++;
        }

        return text[start..position];
    }

    private static string Quoted(string text, ref int position)
    {
        var value = new StringBuilder();
        for (position++; position < text.Length && text[position] != '"'; position++)
        {
            if (text[position] == '\\' && position + 1 < text.Length)
            {
                position++;
            }

            value.Append(text[position]);
        }

        position = Math.Min(position + 1, text.Length);
        return value.ToString();
    }
}
