using System.Text;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>OpenPGP signatures and keys as ostree prints them.</summary>
internal static class GpgText
{
    /// <summary>A headline and what there is to say of each signature.</summary>
    public static void PrintSignatures(OstreeCall call, string headline, IReadOnlyList<GpgSignature> signatures)
    {
        call.Print(headline);
        var text = new StringBuilder();
        foreach (GpgSignature signature in signatures)
        {
            text.Append('\n');
            signature.Describe(text, "  ");
        }
        call.Out.Write(text);
    }

    /// <summary>"1 signature", "2 signatures".</summary>
    public static string Count(IReadOnlyList<GpgSignature> signatures) => $"{signatures.Count} signature{(signatures.Count == 1 ? "" : "s")}";

    public static void PrintKey(OstreeCall call, GpgKey key)
    {
        PrintKey(call, key, "Key", "  ");
        foreach (GpgUserId user in key.UserIds)
        {
            call.Print($"  UID: {user.Text}{State(user.IsRevoked, user.IsInvalid)}");
            call.Print($"  Advanced update URL: {user.AdvancedUpdateUrl}");
            call.Print($"  Direct update URL: {user.DirectUpdateUrl}");
        }
        foreach (GpgKey subkey in key.Subkeys)
            PrintKey(call, subkey, "  Subkey", "    ");
    }

    private static void PrintKey(OstreeCall call, GpgKey key, string title, string indent)
    {
        call.Print($"{title}: {key.Fingerprint}{State(key.IsRevoked, key.IsInvalid)}");
        call.Print($"{indent}Created: {GpgSignature.Date(key.Created)}");
        if (key.Expires > 0)
            call.Print($"{indent}{(key.IsExpired ? "Expired" : "Expires")}: {GpgSignature.Date(key.Expires)}");
    }

    private static string State(bool revoked, bool invalid) => (revoked ? " (revoked)" : "") + (invalid ? " (invalid)" : "");
}
