
namespace OciOstree.Repository;

internal sealed class Ed25519Type : SignatureType
{
    private const int SeedSize = 32, PublicSize = 32, SecretSize = SeedSize + PublicSize, SignatureSize = 64;

    public override string Name => "ed25519";

    internal override byte[] ParseKey(string text) => Base64Text.Decode(text);

    internal override IEnumerable<byte[]> ParseKeyFile(byte[] file, bool secret)
    {
        foreach (string line in KeyText.Lines(file))
            yield return line.Length > 0 ? Base64Text.Decode(line) : throw new RepositoryException("Invalid base64 blob format");
    }

    internal override void CheckPublicKey(byte[] key) => CheckSize("Invalid ed25519 public key", key.Length, PublicSize);

    internal override void CheckSecretKey(byte[] key) => CheckSize("Invalid ed25519 secret key", key.Length, SecretSize);

    internal override byte[] Sign(byte[] secretKey, ReadOnlySpan<byte> data)
    {
        using LibCrypto.Key key = LibCrypto.Ed25519Secret(secretKey.AsSpan(0, SeedSize)) ?? throw new RepositoryException("openssl: Failed to initialize ed25519 key");
        return LibCrypto.Sign(key, data) is { Length: SignatureSize } signature ? signature : throw new RepositoryException("Failed to sign");
    }

    internal override bool Verify(byte[] publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        CheckSize("Invalid signature", signature.Length, SignatureSize);
        using LibCrypto.Key key = LibCrypto.Ed25519Public(publicKey) ?? throw new RepositoryException("openssl: Failed to initialize ed25519 key");
        return LibCrypto.Verify(key, data, signature);
    }

    private static void CheckSize(string what, int found, int expected)
    {
        if (found != expected)
            throw new RepositoryException($"{what}: Ill-formed input: expected {expected} bytes, got {found} bytes");
    }
}
