using System.Security.Cryptography;
using System.Text;

namespace OciOstree.Repository;

/// <summary>Whose a key is said to be: <c>NAME (COMMENT) &lt;ADDRESS&gt;</c>, of which each part may lack.</summary>
public sealed record GpgUserId(string Text, string Name, string Comment, string Email, bool IsRevoked, bool IsInvalid)
{
    private const string ZBase32 = "ybndrfg8ejkmcpqxot1uwisza345h769";

    /// <summary>The mail address, also of a user ID that is nothing else; null if there is none.</summary>
    public string? Address => (Email.Length > 0 ? Email : Text) is var address && IsAddress(address) ? address.ToLowerInvariant() : null;

    private static bool IsAddress(string text) => text.IndexOf('@') is > 0 and var at && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.AsSpan().ContainsAny(" <>()\t");

    internal static GpgUserId Parse(string text, string validity)
    {
        string name = text, comment = "", email = "";
        if (name.EndsWith('>') && name.LastIndexOf('<') is >= 0 and var open)
            (name, email) = (name[..open], name[(open + 1)..^1]);
        name = name.TrimEnd(' ');
        if (name.EndsWith(')') && name.LastIndexOf('(') is >= 0 and var bracket)
            (name, comment) = (name[..bracket], name[(bracket + 1)..^1]);
        name = name.Trim(' ');
        // Many keys are for an address and nothing else.
        if (email.Length == 0 && comment.Length == 0 && IsAddress(name))
            (name, email) = ("", name);
        return new GpgUserId(text, name, comment, email, validity.StartsWith('r'), validity.StartsWith('i'));
    }

    /// <summary>Where a Web Key Directory (draft-koch-openpgp-webkey-service) has the key, by the method that is tried first; null without an address.</summary>
    public string? AdvancedUpdateUrl => Url((local, domain, hash) => $"https://openpgpkey.{domain}/.well-known/openpgpkey/{domain}/hu/{hash}?l={local}");

    /// <summary>As <see cref="AdvancedUpdateUrl"/>, by the method that is tried second.</summary>
    public string? DirectUpdateUrl => Url((local, domain, hash) => $"https://{domain}/.well-known/openpgpkey/hu/{hash}?l={local}");

    private string? Url(Func<string, string, string, string> make)
    {
        if (Address is not { } address)
            return null;
        int at = address.IndexOf('@', StringComparison.Ordinal);
        string local = address[..at];
        return make(Uri.EscapeDataString(local), address[(at + 1)..], Hash(local));
    }

    // The draft asks for SHA-1: it is a name, nothing is protected by it.
    private static string Hash(string local)
    {
        var text = new StringBuilder();
        int buffer = 0, bits = 0;
        foreach (byte b in SHA1.HashData(Encoding.UTF8.GetBytes(local)))
        {
            buffer = (buffer << 8 | b) & 0xFFFF;
            for (bits += 8; bits >= 5; bits -= 5)
                text.Append(ZBase32[buffer >> bits - 5 & 31]);
        }
        return text.ToString();
    }
}
