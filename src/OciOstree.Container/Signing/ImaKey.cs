using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OciOstree.Container;

/// <summary>
/// A key for the kernel's integrity measurement (IMA), and its signatures in the form of <c>security.ima</c>: type 3, version 2, the hash's number, four bytes
/// that name the key, the signature's length and the signature (<c>struct signature_v2_hdr</c> of the kernel's integrity.h). As <c>evmctl ima_sign</c> makes them.
/// </summary>
public sealed class ImaKey : IDisposable
{
    private const byte SignatureType = 3;
    private const byte SignatureVersion = 2;

    private readonly RSA? rsa;
    private readonly ECDsa? ecdsa;
    private readonly byte[] keyId;

    private ImaKey(RSA? rsa, ECDsa? ecdsa, ReadOnlySpan<byte> publicKey)
    {
        (this.rsa, this.ecdsa) = (rsa, ecdsa);
        keyId = SHA1.HashData(publicKey)[^4..];
    }

    /// <summary>Reads a private key in PEM: RSA or elliptic, not encrypted.</summary>
    /// <exception cref="ContainerException">It is none.</exception>
    public static ImaKey FromPem(string pem)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(pem);
            return new ImaKey(rsa, null, rsa.ExportRSAPublicKey());
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            rsa.Dispose();
        }

        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportFromPem(pem);
            var point = ecdsa.ExportParameters(includePrivateParameters: false).Q;
            return new ImaKey(null, ecdsa, [4, .. point.X!, .. point.Y!]);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            // .NET's words are for programmers.
            ecdsa.Dispose();
            throw new ContainerException("the key is no private key in PEM, RSA or elliptic, without a passphrase");
        }
    }

    /// <summary>The hash of an algorithm's name as evmctl takes it.</summary>
    /// <exception cref="ContainerException">It is unknown.</exception>
    public static HashAlgorithmName ParseAlgorithm(string name) => name switch
    {
        "sha1" => HashAlgorithmName.SHA1,
        "sha256" => HashAlgorithmName.SHA256,
        "sha384" => HashAlgorithmName.SHA384,
        "sha512" => HashAlgorithmName.SHA512,
        _ => throw new ContainerException($"unknown hash algorithm '{name}': sha1, sha256, sha384 and sha512 are known"),
    };

    /// <summary>Signs content; any number of threads may do so at once.</summary>
    /// <returns>The xattr's value.</returns>
    public byte[] Sign(Stream content, HashAlgorithmName algorithm)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        var buffer = new byte[128 << 10];
        for (int count; (count = content.Read(buffer)) > 0;)
        {
            hash.AppendData(buffer, 0, count);
        }

        var digest = hash.GetHashAndReset();
        byte[] signature;
        lock (keyId)
        {
            signature = rsa is not null ? rsa.SignHash(digest, algorithm, RSASignaturePadding.Pkcs1) : ecdsa!.SignHash(digest, DSASignatureFormat.Rfc3279DerSequence);
        }

        var value = new byte[9 + signature.Length];
        (value[0], value[1], value[2]) = (SignatureType, SignatureVersion, NumberOf(algorithm));
        keyId.CopyTo(value, 3);
        BinaryPrimitives.WriteUInt16BigEndian(value.AsSpan(7), (ushort)signature.Length);
        signature.CopyTo(value, 9);
        return value;
    }

    public void Dispose()
    {
        rsa?.Dispose();
        ecdsa?.Dispose();
    }

    // The kernel's enum hash_algo.
    private static byte NumberOf(HashAlgorithmName algorithm) => algorithm.Name switch
    {
        "SHA1" => 2,
        "SHA256" => 4,
        "SHA384" => 5,
        _ => 6,
    };
}
