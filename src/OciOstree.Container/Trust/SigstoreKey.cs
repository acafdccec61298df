using System.Security.Cryptography;
using System.Text;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// A public key that signs with SHA-256 as sigstore does: ECDSA over NIST's curves (signature in DER), RSA (PKCS #1 1.5), or Ed25519 over the
/// document itself.
/// </summary>
internal sealed class SigstoreKey : IDisposable
{
    private const string Ed25519Prefix = "302A300506032B6570032100";
    private static readonly string[] Curves = ["1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

    private readonly ECDsa? ecdsa;
    private readonly RSA? rsa;
    private readonly byte[]? ed25519;

    private SigstoreKey(ECDsa? ecdsa, RSA? rsa, byte[]? ed25519) => (this.ecdsa, this.rsa, this.ed25519) = (ecdsa, rsa, ed25519);

    /// <exception cref="ContainerException">It is no PEM file with such a key.</exception>
    internal static SigstoreKey Parse(ReadOnlySpan<byte> pem)
    {
        var text = Encoding.Latin1.GetString(pem);
        if (!PemEncoding.TryFind(text, out var fields))
        {
            throw new ContainerException("it is no PEM file");
        }

        var label = text[fields.Label];
        var bytes = new byte[fields.DecodedDataLength];
        if (label is not ("PUBLIC KEY" or "RSA PUBLIC KEY") || !Convert.TryFromBase64String(text[fields.Base64Data], bytes, out var length))
        {
            throw new ContainerException($"it holds a {StrictJson.Show(label)}, not a PUBLIC KEY");
        }

        var der = bytes.AsSpan(0, length);
        return label == "RSA PUBLIC KEY" ? ReadRsa(der, (key, from) => key.ImportRSAPublicKey(from, out _))!
            : der.Length == Ed25519Prefix.Length / 2 + Ed25519Key.Size && Convert.ToHexString(der).StartsWith(Ed25519Prefix, StringComparison.Ordinal) ? new SigstoreKey(null, null, der[^Ed25519Key.Size..].ToArray())
            : ReadEcdsa(der) ?? ReadRsa(der, (key, from) => key.ImportSubjectPublicKeyInfo(from, out _))
            ?? throw new ContainerException("it holds a key of a kind that sigstore does not sign with");
    }

    /// <summary>Whether it signs with ECDSA.</summary>
    internal bool IsEcdsa => ecdsa is not null;

    /// <summary>The key in DER.</summary>
    internal byte[] SubjectPublicKeyInfo => ecdsa?.ExportSubjectPublicKeyInfo() ?? rsa?.ExportSubjectPublicKeyInfo() ?? [.. Convert.FromHexString(Ed25519Prefix), .. ed25519!];

    internal bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        try
        {
            return ecdsa?.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
                ?? rsa?.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                ?? Ed25519Key.Verify(ed25519, data, signature);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        ecdsa?.Dispose();
        rsa?.Dispose();
    }

    private static SigstoreKey? ReadEcdsa(ReadOnlySpan<byte> der)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(der, out _);
            var curve = key.ExportParameters(false).Curve;
            if (curve.IsNamed && Curves.Contains(curve.Oid.Value))
            {
                return new SigstoreKey(key, null, null);
            }
        }
        catch (CryptographicException)
        {
            // A key of another kind, or none.
        }

        key.Dispose();
        return null;
    }

    private delegate void Import(RSA key, ReadOnlySpan<byte> der);

    private static SigstoreKey? ReadRsa(ReadOnlySpan<byte> der, Import import)
    {
        var key = RSA.Create();
        try
        {
            import(key, der);
            return new SigstoreKey(null, key, null);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            return null;
        }
    }
}
