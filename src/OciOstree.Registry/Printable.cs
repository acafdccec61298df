using System.Text;

namespace OciOstree.Registry;

/// <summary>Makes text from elsewhere fit for a one-line message.</summary>
internal static class Printable
{
    private const int Limit = 200;

    /// <summary>At most 200 characters, control characters replaced.</summary>
    internal static string Clip(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var result = new StringBuilder(Math.Min(text.Length, Limit) + 3);
        foreach (var c in text)
        {
            if (result.Length == Limit)
            {
                return result.Append("...").ToString();
            }

            result.Append(char.IsControl(c) ? ' ' : c);
        }

        return result.ToString();
    }
}
