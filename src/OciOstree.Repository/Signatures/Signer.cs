using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>A secret key and what it is good for.</summary>
public sealed class Signer
{
    private readonly byte[] key;

    private Signer(SignatureType type, byte[] key)
    {
        type.CheckSecretKey(key);
        (Type, this.key) = (type, key);
    }

    public SignatureType Type { get; }

    /// <summary>From a key as it is given on a command line.</summary>
    /// <exception cref="RepositoryException">It is none.</exception>
    public static Signer FromText(SignatureType type, string key) => new(type, type.ParseKey(key));

    /// <summary>A signer for each key of a file, in their order.</summary>
    /// <exception cref="RepositoryException">The file cannot be read, or holds something else.</exception>
    public static IReadOnlyList<Signer> FromFile(SignatureType type, string path) =>
        [.. type.ParseKeyFile(KeyFiles.Read(path), secret: true).Select(key => new Signer(type, key))];

    /// <exception cref="RepositoryException">The key cannot sign.</exception>
    public byte[] Sign(ReadOnlySpan<byte> data) => Type.Sign(key, data);

    /// <summary>Metadata with one more signature, which comes after those of its kind that are there.</summary>
    /// <param name="metadata">An <c>a{sv}</c>; null is an empty one.</param>
    public Variant AddTo(Variant? metadata, ReadOnlySpan<byte> data) => SignatureList.Append(metadata, Type.MetadataKey, [Sign(data)]);
}
