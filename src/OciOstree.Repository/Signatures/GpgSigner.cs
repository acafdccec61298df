using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>A secret OpenPGP key that gpg has.</summary>
public sealed class GpgSigner
{
    // What is shorter names too many keys by chance; gpgme refuses it, and so libostree.
    internal const int MinKeyId = 8;

    private readonly string? home;
    private readonly string given;
    private readonly GpgKey key;

    private GpgSigner(string given, string? home, GpgKey key) => (this.given, this.home, this.key) = (given, home, key);

    /// <param name="keyId">A key ID, fingerprint or part of a user ID, as gpg takes them.</param>
    /// <param name="home">gpg's home; null is its default.</param>
    /// <exception cref="RepositoryException">There is no such secret key, or there are several.</exception>
    public static GpgSigner Find(string keyId, string? home)
    {
        if (keyId.Length < MinKeyId)
            throw new RepositoryException($"Unable to lookup key ID {keyId}: it needs at least {MinKeyId} characters");
        string shown = home ?? "<default>";
        GpgProgram gpg = GpgProgram.Run("gpg", [.. Home(home), "--batch", .. GpgKey.ListOptions, "--list-secret-keys", "--", keyId]);
        List<GpgKey> keys = GpgKey.Parse(gpg.Text);
        return keys.Count switch
        {
            0 => throw new RepositoryException($"No gpg key found with ID {keyId} (homedir: {shown})"),
            1 => new GpgSigner(keyId, home, keys[0]),
            _ => throw new RepositoryException($"gpg key id {keyId} ambiguous (homedir: {shown}). Try the fingerprint instead"),
        };
    }

    /// <exception cref="RepositoryException">gpg does not sign.</exception>
    public byte[] Sign(byte[] data)
    {
        GpgProgram gpg = GpgProgram.Run("gpg", [.. Home(home), "--no-tty", "--yes", "--status-fd", "2", "--local-user", key.Fingerprint, "--detach-sign", "--output", "-"], data);
        if (gpg.ExitCode != 0 || gpg.Output.Length == 0)
            throw new RepositoryException("Failure signing commit file", new RepositoryException($"GPG: {gpg.Complaint}"));
        return gpg.Output;
    }

    /// <summary>Metadata with one more signature.</summary>
    /// <param name="metadata">An <c>a{sv}</c>; null is an empty one.</param>
    /// <param name="onlyOnce">Refuse data that this key has signed already.</param>
    /// <exception cref="RepositoryException">gpg does not sign, or this key has.</exception>
    public Variant AddTo(Variant? metadata, byte[] data, bool onlyOnce)
    {
        // Who signed is in the signatures themselves: no keyring is asked.
        if (onlyOnce && GpgVerifier.Signatures(metadata) is { } signatures && GpgVerifier.Check(GpgKeyring.System(), data, signatures, withKeys: false).Any(signature => key.Find(signature.Fingerprint) is not null))
            throw new RepositoryException($"Commit is already signed with GPG key {given}");
        return SignatureList.Append(metadata, GpgVerifier.SignaturesKey, [Sign(data)]);
    }

    private static string[] Home(string? home) => home is null ? [] : ["--homedir", home];
}
