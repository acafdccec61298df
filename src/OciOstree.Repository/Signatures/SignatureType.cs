using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>
/// A kind of signature that ostree knows besides OpenPGP's. Keys are bytes here; what a key looks like on a command line and in a file
/// is the kind's own: base64 text, PEM blocks or plain words.
/// </summary>
public abstract class SignatureType
{
    /// <summary>Ed25519 (RFC 8032): public keys of 32 bytes, secret keys of 64 (the seed, then the public key), both as base64, one a line.</summary>
    public static SignatureType Ed25519 { get; } = new Ed25519Type();

    /// <summary>Whatever OpenSSL signs with and a SubjectPublicKeyInfo describes: DER as base64 on a command line, PEM in files.</summary>
    public static SignatureType Spki { get; } = new SpkiType();

    /// <summary>No signature at all, for tests: the key itself. Refused unless <c>OSTREE_DUMMY_SIGN_ENABLED=1</c>.</summary>
    public static SignatureType Dummy { get; } = new DummyType();

    /// <summary>All of them, in the order in which they are tried.</summary>
    public static IReadOnlyList<SignatureType> All { get; } = [Ed25519, Spki, Dummy];

    /// <exception cref="RepositoryException">There is none of that name.</exception>
    public static SignatureType Named(string name) =>
        All.FirstOrDefault(type => type.Name == name) ?? throw new RepositoryException("Requested signature type is not implemented");

    /// <summary>As <c>--sign-type</c> and the options of a remote have it.</summary>
    public abstract string Name { get; }

    /// <summary>The key in detached metadata and in <c>summary.sig</c> that signatures are under, an <c>aay</c>.</summary>
    public string MetadataKey => $"ostree.sign.{Name}";

    /// <summary>Reads a key from a command line or a remote's option.</summary>
    internal abstract byte[] ParseKey(string text);

    /// <summary>Reads the keys of a file, lazily: those before a damaged one are had.</summary>
    internal abstract IEnumerable<byte[]> ParseKeyFile(byte[] file, bool secret);

    /// <exception cref="RepositoryException">It is no key.</exception>
    internal virtual void CheckPublicKey(byte[] key)
    {
    }

    /// <inheritdoc cref="CheckPublicKey"/>
    internal virtual void CheckSecretKey(byte[] key)
    {
    }

    internal abstract byte[] Sign(byte[] secretKey, ReadOnlySpan<byte> data);

    /// <summary>Whether the signature is that key's.</summary>
    /// <exception cref="RepositoryException">It or the key has not the form of one.</exception>
    internal abstract bool Verify(byte[] publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

    /// <summary>The signatures of this kind in metadata, null if there are none or what is there is something else.</summary>
    public Variant? Signatures(Variant? metadata) => metadata?.Lookup(MetadataKey, "aay");
}
