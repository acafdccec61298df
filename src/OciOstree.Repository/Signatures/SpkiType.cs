namespace OciOstree.Repository;

internal sealed class SpkiType : SignatureType
{
    // libostree's bound for anything in a signature, too
    private const int MaxSize = 128 << 20;

    public override string Name => "spki";

    internal override byte[] ParseKey(string text) => Base64Text.Decode(text);

    internal override IEnumerable<byte[]> ParseKeyFile(byte[] file, bool secret) => KeyText.PemBlocks(file, secret ? "PRIVATE KEY" : "PUBLIC KEY");

    internal override byte[] Sign(byte[] secretKey, ReadOnlySpan<byte> data)
    {
        using LibCrypto.Key key = LibCrypto.SecretFromDer(secretKey) ?? throw new RepositoryException("openssl: Failed to initialize spki key");
        return LibCrypto.Sign(key, data) ?? throw new RepositoryException("Failed to sign");
    }

    internal override bool Verify(byte[] publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length > MaxSize)
            throw new RepositoryException($"Invalid public key of {publicKey.Length} bytes, expected <= {MaxSize}");
        if (signature.Length > MaxSize)
            throw new RepositoryException($"Invalid signature of {signature.Length} bytes, expected <= {MaxSize}");
        using LibCrypto.Key key = LibCrypto.PublicFromDer(publicKey) ?? throw new RepositoryException("openssl: Failed to initialize spki key");
        return LibCrypto.Verify(key, data, signature);
    }
}
