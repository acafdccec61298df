using System.Text;

namespace OciOstree.Repository;

internal sealed class DummyType : SignatureType
{
    public override string Name => "dummy";

    internal override byte[] ParseKey(string text) => Encoding.UTF8.GetBytes(text);

    internal override IEnumerable<byte[]> ParseKeyFile(byte[] file, bool secret) => KeyText.Lines(file).Select(ParseKey);

    internal override void CheckSecretKey(byte[] key) => CheckEnabled();

    internal override byte[] Sign(byte[] secretKey, ReadOnlySpan<byte> data)
    {
        CheckEnabled();
        return secretKey;
    }

    internal override bool Verify(byte[] publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => signature.SequenceEqual(publicKey);

    public static void CheckEnabled()
    {
        if (Environment.GetEnvironmentVariable("OSTREE_DUMMY_SIGN_ENABLED") != "1")
            throw new RepositoryException("dummy signature type is only for ostree testing");
    }
}
