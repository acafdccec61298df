using System.Globalization;
using System.Text;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>
/// Checks OpenPGP signatures by the system's <c>gpgv</c>; what is told of a key besides is from <c>gpg</c>'s listing.
/// </summary>
public static class GpgVerifier
{
    /// <summary>The key in detached metadata and in <c>summary.sig</c> that signatures are under, an <c>aay</c> of signature packets.</summary>
    public const string SignaturesKey = "ostree.gpgsigs";

    private const int MaxSignatures = 1000, MaxSize = 16 << 20;

    private const int NoPublicKey = 9; // gpg-error's GPG_ERR_NO_PUBKEY

    /// <summary>Passes if at least one signature is good and by a key that the remote is trusted by, neither expired nor revoked.</summary>
    /// <param name="metadata">What holds the signatures; null is none.</param>
    /// <exception cref="RepositoryException">There is no such signature, or they cannot be checked.</exception>
    public static void Verify(Repo repo, Remote remote, ReadOnlySpan<byte> data, Variant? metadata)
    {
        Variant signatures = Signatures(metadata) ?? throw new RepositoryException("GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)");
        RequireValid(Check(GpgKeyring.Of(repo, remote), data, signatures, withKeys: false));
    }

    /// <summary>As <see cref="Verify"/>, telling of all signatures.</summary>
    public static IReadOnlyList<GpgSignature> VerifyAll(Repo repo, Remote remote, ReadOnlySpan<byte> data, Variant? metadata)
    {
        Variant signatures = Signatures(metadata) ?? throw new RepositoryException("GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)");
        IReadOnlyList<GpgSignature> found = Check(GpgKeyring.Of(repo, remote), data, signatures, withKeys: true);
        RequireValid(found);
        return found;
    }

    /// <summary>The signatures in metadata, null if there are none.</summary>
    public static Variant? Signatures(Variant? metadata) => metadata?.Lookup(SignaturesKey, "aay");

    /// <exception cref="RepositoryException">None of them is valid; the message tells of each, the last one first.</exception>
    public static void RequireValid(IReadOnlyList<GpgSignature> signatures)
    {
        if (signatures.Any(signature => signature.IsValid))
            return;
        if (signatures.Count == 0)
            throw new RepositoryException("No GPG signatures found");
        var text = new StringBuilder();
        foreach (GpgSignature signature in signatures.Reverse())
            signature.Describe(text, "");
        throw new RepositoryException(text.ToString().TrimEnd());
    }

    /// <summary>Checks signatures, an <c>aay</c>, and tells of each in their order.</summary>
    /// <param name="withKeys">Whether names and expiries of the keys are wanted even where a signature is valid.</param>
    /// <exception cref="RepositoryException">They are no signatures, or cannot be checked.</exception>
    public static IReadOnlyList<GpgSignature> Check(GpgKeyring keys, ReadOnlySpan<byte> data, Variant signatures, bool withKeys)
    {
        byte[] packets = Packets(signatures);
        if (packets.Length == 0)
            return [];
        using var scratch = new GpgScratch();
        string[] rings = [.. keys.Options(scratch)];
        string signature = scratch.Write("signature", packets), signed = scratch.Write("data", data);
        GpgProgram gpgv = GpgProgram.Run("gpgv", ["--homedir", scratch.Path, "--status-fd", "1", .. rings, signature, signed]);
        List<GpgSignature> found = Parse(gpgv.Text);
        if (found.Count == 0)
            throw new RepositoryException("GPG: Unable to complete signature verification", new RepositoryException(gpgv.Complaint));
        if (!withKeys && found.Any(s => s.IsValid))
            return found;
        IReadOnlyList<GpgKey> listed = GpgKeyring.List(scratch, rings, []);
        return [.. found.Select(s => s.WithKey(listed))];
    }

    // Packets tell their own lengths: one after the other they are a valid signature file.
    private static byte[] Packets(Variant signatures)
    {
        using MemoryStream all = new();
        if (signatures.Count > MaxSignatures)
            throw new RepositoryException($"GPG: {signatures.Count} signatures are too many");
        for (int i = 0; i < signatures.Count; i++)
        {
            byte[] packets = OpenPgp.Dearmor(signatures[i].AsBytes().ToArray());
            OpenPgp.CountSignatures(packets);
            if (all.Length + packets.Length > MaxSize)
                throw new RepositoryException("GPG: the signatures are too large");
            all.Write(packets);
        }
        return all.ToArray();
    }

    // Each signature opens with NEWSIG; its one verdict comes next, and VALIDSIG says more where the bytes are right, whatever the key is worth.
    internal static List<GpgSignature> Parse(string status)
    {
        List<GpgSignature> found = [];
        bool open = false, good = false;
        foreach (string[] words in GpgProgram.StatusLines(status))
        {
            string Word(int at) => at < words.Length ? words[at] : "";
            switch (words[0])
            {
                case "NEWSIG":
                    found.Add(new GpgSignature());
                    (open, good) = (true, false);
                    break;
                case "GOODSIG" or "EXPSIG" or "EXPKEYSIG" or "REVKEYSIG" or "BADSIG" when found.Count > 0:
                    GpgUserId user = GpgUserId.Parse(Uri.UnescapeDataString(string.Join(' ', words.Skip(2))), "");
                    found[^1] = found[^1] with
                    {
                        IsExpired = words[0] == "EXPSIG",
                        IsKeyExpired = words[0] == "EXPKEYSIG",
                        IsKeyRevoked = words[0] == "REVKEYSIG",
                        Fingerprint = Word(1),
                        UserName = user.Name,
                        UserEmail = user.Email,
                    };
                    (open, good) = (false, open && words[0] == "GOODSIG");
                    break;
                case "ERRSIG" when found.Count > 0:
                    found[^1] = found[^1] with
                    {
                        IsKeyMissing = Word(6) == NoPublicKey.ToString(CultureInfo.InvariantCulture),
                        Fingerprint = Word(7) is { Length: > 1 } fingerprint ? fingerprint : Word(1),
                        Algorithm = (int)GpgKey.Seconds(Word(2)),
                        Timestamp = GpgKey.Seconds(Word(5)),
                    };
                    (open, good) = (false, false);
                    break;
                case "VALIDSIG" when found.Count > 0:
                    found[^1] = found[^1] with
                    {
                        IsValid = good,
                        Fingerprint = Word(1),
                        Timestamp = GpgKey.Seconds(Word(3)),
                        Expires = GpgKey.Seconds(Word(4)),
                        Algorithm = (int)GpgKey.Seconds(Word(7)),
                        PrimaryFingerprint = Word(10),
                    };
                    break;
                default:
                    break;
            }
        }
        return found;
    }
}
