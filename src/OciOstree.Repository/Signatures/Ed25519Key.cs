namespace OciOstree.Repository;

/// <summary>An Ed25519 public key (RFC 8032), which .NET's cryptography does not have.</summary>
public static class Ed25519Key
{
    /// <summary>In bytes.</summary>
    public const int Size = 32;

    /// <summary>Whether it is the key's signature of the data; what is no key has signed nothing.</summary>
    public static bool Verify(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using LibCrypto.Key? opened = key.Length == Size ? LibCrypto.Ed25519Public(key) : null;
        return opened is not null && LibCrypto.Verify(opened, data, signature);
    }
}
