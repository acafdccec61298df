using System.Text;

namespace OciOstree.Repository;

/// <summary>The two forms of files with keys.</summary>
internal static class KeyText
{
    private const string Dashes = "-----", Begin = "-----BEGIN ", End = "-----END ";

    /// <summary>The lines of a file; what follows the last newline is one if it is not empty.</summary>
    public static IEnumerable<string> Lines(byte[] file)
    {
        string text = Encoding.Latin1.GetString(file);
        for (int start = 0, end; start < text.Length; start = end + 1)
        {
            end = text.IndexOf('\n', start);
            if (end < 0)
                end = text.Length;
            yield return text[start..end];
        }
    }

    /// <summary>The contents of PEM blocks (RFC 7468: no headers within a block); text around them is passed over.</summary>
    /// <exception cref="RepositoryException">A block has another label, or does not end.</exception>
    public static IEnumerable<byte[]> PemBlocks(byte[] file, string label)
    {
        string? open = null;
        var body = new StringBuilder();
        foreach (string line in Lines(file).Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            if (open is null)
            {
                open = LabelOf(line, Begin);
                body.Clear();
            }
            else if (LabelOf(line, End) is not { } closed)
                body.Append(line);
            else if (closed != open)
                throw new RepositoryException("Unmatched PEM header");
            else if (open != label)
                throw new RepositoryException($"Unexpected label \"{open}\"");
            else
            {
                open = null;
                yield return Base64Text.Decode(body.ToString());
            }
        }
        if (open is not null)
            throw new RepositoryException("PEM trailer not found");
    }

    private static string? LabelOf(string line, string start) =>
        line.Length >= start.Length + Dashes.Length && line.StartsWith(start, StringComparison.Ordinal) && line.EndsWith(Dashes, StringComparison.Ordinal)
            ? line[start.Length..^Dashes.Length] : null;
}
