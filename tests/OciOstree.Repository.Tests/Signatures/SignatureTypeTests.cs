using OciOstree.Formats.GVariant;

namespace OciOstree.Repository.Tests.Signatures;

public sealed class SignatureTypeTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();

    public void Dispose() => scratch.Dispose();

    // RFC 8032, 7.1: seed, public key, message, signature
    public static TheoryData<string, string, string, string> Rfc8032 => new()
    {
        {
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        },
        {
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        },
        {
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        },
    };

    [Theory]
    [MemberData(nameof(Rfc8032))]
    public void Ed25519_signs_as_its_specification_says(string seed, string publicKey, string message, string signature)
    {
        byte[] data = Convert.FromHexString(message);
        Signer signer = Signer.FromText(SignatureType.Ed25519, Base64(seed + publicKey));
        Assert.Equal(signature, Convert.ToHexStringLower(signer.Sign(data)));
        Verifier verifier = new Verifier(SignatureType.Ed25519).AddKey(Base64(publicKey));
        Assert.Equal($"ed25519: Signature verified successfully with key '{publicKey}'", verifier.Verify(data, Signatures(Convert.FromHexString(signature))));
        for (int at = 0; at < 64; at += 9)
        {
            byte[] wrong = Convert.FromHexString(signature);
            wrong[at] ^= 0x10;
            Assert.Equal($"ed25519: Signature couldn't be verified with: key '{publicKey}'", Refused(verifier, data, wrong));
        }
        Refused(verifier, [.. data, 0], Convert.FromHexString(signature));
    }

    [Theory]
    [InlineData("ed25519")]
    [InlineData("ed448")]
    [InlineData("rsa")]
    [InlineData("EC -pkeyopt ec_paramgen_curve:P-256")]
    public void Any_key_of_openssl_is_an_spki_key(string algorithm)
    {
        Tool.Shell($"openssl genpkey -algorithm {algorithm} -out secret.pem 2>&1 && openssl pkey -in secret.pem -pubout -out public.pem", scratch.Path).Ok();
        byte[] data = "what is signed"u8.ToArray();
        Signer signer = Assert.Single(Signer.FromFile(SignatureType.Spki, scratch["secret.pem"]));
        byte[] signature = signer.Sign(data);
        Verifier verifier = new Verifier(SignatureType.Spki).AddFile(scratch["public.pem"]);
        Assert.StartsWith("spki: Signature verified successfully with key '30", verifier.Verify(data, Signatures(signature)));
        // As text the same keys are base64 of DER.
        string text = string.Concat(File.ReadLines(scratch["public.pem"]).Where(line => !line.StartsWith('-')));
        new Verifier(SignatureType.Spki).AddKey(text).Verify(data, Signatures(signature));
        // The program agrees.
        File.WriteAllBytes(scratch["data"], data);
        File.WriteAllBytes(scratch["signature"], signature);
        string raw = algorithm.StartsWith("ed", StringComparison.Ordinal) ? "-rawin" : "-rawin -digest sha256";
        Tool.Shell($"openssl pkeyutl -verify -pubin -inkey public.pem {raw} -in data -sigfile signature", scratch.Path).Ok();
        Tool.Shell($"openssl pkeyutl -sign -inkey secret.pem {raw} -in data -out theirs", scratch.Path).Ok();
        verifier.Verify(data, Signatures(File.ReadAllBytes(scratch["theirs"])));
        foreach (byte[] wrong in (byte[][])[[], [0], new byte[64], signature[..^1], [.. signature, 0], [0x30, 0x80], new byte[100_000], [.. signature[..10], (byte)(signature[10] ^ 1), .. signature[11..]]])
            Assert.StartsWith("spki: Signature couldn't be verified with: key '", Refused(verifier, data, wrong));
    }

    [Fact]
    public void Malformed_keys_and_signatures_are_refused_in_words()
    {
        string key = Base64("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        Verifier verifier = new Verifier(SignatureType.Ed25519).AddKey(key);
        Assert.Equal("Invalid signature: Ill-formed input: expected 64 bytes, got 0 bytes", Refused(verifier, [], []));
        Assert.Equal("Invalid signature: Ill-formed input: expected 64 bytes, got 65 bytes", Refused(verifier, [], new byte[65]));
        Assert.Equal("ed25519: no signatures found", Assert.ThrowsAny<RepositoryException>(() => verifier.Verify([], Variant.Array("ay", []))).Message);
        Assert.Equal("ed25519: commit have no signatures of my type", Assert.ThrowsAny<RepositoryException>(() => verifier.Verify([], null)).Message);
        Assert.Equal("ed25519: wrong type passed for verification", Assert.ThrowsAny<RepositoryException>(() => verifier.Verify([], Variant.String("x"))).Message);
        Assert.Equal("Invalid ed25519 public key: Ill-formed input: expected 32 bytes, got 0 bytes", Assert.ThrowsAny<RepositoryException>(() => verifier.AddKey("")).Message);
        Assert.Equal("Invalid ed25519 secret key: Ill-formed input: expected 64 bytes, got 32 bytes", Assert.ThrowsAny<RepositoryException>(() => Signer.FromText(SignatureType.Ed25519, key)).Message);
        Assert.Equal("openssl: Failed to initialize spki key", Assert.ThrowsAny<RepositoryException>(() => Signer.FromText(SignatureType.Spki, key).Sign([])).Message);
        Assert.Equal("openssl: Failed to initialize spki key", Refused(new Verifier(SignatureType.Spki).AddKey(key), [], new byte[64]));
        Assert.Equal("Requested signature type is not implemented", Assert.ThrowsAny<RepositoryException>(() => SignatureType.Named("rot13")).Message);
        // No key at all, and one that is no point of the curve.
        Assert.StartsWith("ed25519: Signature couldn't", Refused(new Verifier(SignatureType.Ed25519).AddKey(Convert.ToBase64String(Enumerable.Repeat((byte)0xFF, 32).ToArray())), [], new byte[64]));
        Assert.Contains("are too many", Assert.ThrowsAny<RepositoryException>(() => verifier.Verify([], Variant.Array("ay", Enumerable.Repeat(Variant.Bytes(new byte[64]), 100_000)))).Message);
        // Bytes that are no aay in normal form: children read as empty.
        var random = new Random(7);
        for (int i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(1, 300)];
            random.NextBytes(bytes);
            Assert.ThrowsAny<RepositoryException>(() => verifier.Verify([], Variant.FromBytes("aay", bytes)));
        }
    }

    [Fact]
    public void Files_of_keys_are_read_as_far_as_they_are_sound()
    {
        string Random() => Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        (string seed, string publicKey) = ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        Variant signatures = Signatures(Signer.FromText(SignatureType.Ed25519, Base64(seed + publicKey)).Sign("x"u8));
        scratch.MakeDirectory("trusted.ed25519.d");
        scratch.MakeDirectory("revoked.ed25519.d");
        Verifier Fresh() => new Verifier(SignatureType.Ed25519).AddWellKnown(scratch.Path);
        Assert.Equal("signature: ed25519: no keys loaded", Assert.ThrowsAny<RepositoryException>(Fresh).Message);
        for (int i = 0; i < 10; i++)
            File.WriteAllText(scratch[$"trusted.ed25519.d/{i}"], Random() + "\n");
        File.WriteAllText(scratch["trusted.ed25519.d/rubbish"], "\0\u00FF!\n\n");
        Assert.Equal("ed25519: Signature couldn't be verified; tried 10 keys", Assert.ThrowsAny<RepositoryException>(() => Fresh().Verify("x"u8, signatures)).Message);
        File.WriteAllText(scratch["trusted.ed25519"], "short\n" + Base64(publicKey));
        Fresh().Verify("x"u8, signatures);
        File.WriteAllText(scratch["revoked.ed25519.d/it"], Base64(publicKey) + "\n");
        Assert.Equal("ed25519: Signature couldn't be verified; tried 10 keys", Assert.ThrowsAny<RepositoryException>(() => Fresh().Verify("x"u8, signatures)).Message);

        Assert.Contains("is not a regular file", Assert.ThrowsAny<RepositoryException>(() => new Verifier(SignatureType.Ed25519).AddFile(scratch.Path)).Message);
        File.WriteAllText(scratch["empty"], "");
        Assert.Contains("no valid keys in file", Assert.ThrowsAny<RepositoryException>(() => new Verifier(SignatureType.Ed25519).AddFile(scratch["empty"])).Message);
        foreach ((string pem, string complaint) in new[]
        {
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n", "PEM trailer not found"), ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "Unmatched PEM header"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "Unexpected label \"CERTIFICATE\""), ("-----BEGIN -----END -----", "PEM trailer not found"), ("-----BEGIN", "no valid keys in file"),
        })
        {
            File.WriteAllText(scratch["pem"], pem);
            Assert.Contains(complaint, Assert.ThrowsAny<RepositoryException>(() => new Verifier(SignatureType.Spki).AddFile(scratch["pem"])).Message);
        }
    }

    [Fact]
    public void A_signature_is_added_after_those_that_are_there()
    {
        string key = Base64("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb" + "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        Signer signer = Signer.FromText(SignatureType.Ed25519, key);
        Variant metadata = Variant.Dictionary([KeyValuePair.Create("version", Variant.String("1"))]);
        metadata = signer.AddTo(signer.AddTo(metadata, "a"u8), "b"u8);
        Variant signatures = SignatureType.Ed25519.Signatures(metadata)!;
        Assert.Equal([signer.Sign("a"u8), signer.Sign("b"u8)], signatures.Children.Select(child => child.AsBytes().ToArray()));
        Assert.Equal("1", metadata.Lookup("version")?.AsString());
        new Verifier(SignatureType.Ed25519).AddKey(Base64("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")).VerifyMetadata("b"u8, metadata);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("QQ==", 1)]
    [InlineData("Q Q\n=-=", 1)]
    [InlineData("QUJD", 3)]
    [InlineData("QUJDRA", 3)]
    [InlineData("====", 1)]
    [InlineData("\u00FF\u2028QUI=", 2)]
    public void Base64_is_read_as_glib_reads_it(string text, int bytes) =>
        Assert.EndsWith($"got {bytes} bytes", Assert.ThrowsAny<RepositoryException>(() => new Verifier(SignatureType.Ed25519).AddKey(text)).Message);

    private static string Base64(string hex) => Convert.ToBase64String(Convert.FromHexString(hex));

    private static Variant Signatures(params byte[][] signatures) => Variant.Array("ay", signatures.Select(signature => Variant.Bytes(signature)));

    private static string Refused(Verifier verifier, byte[] data, byte[] signature)
    {
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => verifier.Verify(data, Signatures(signature)));
        return e.Message;
    }
}
