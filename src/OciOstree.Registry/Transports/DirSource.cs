using OciOstree.Registry.Signatures;

namespace OciOstree.Registry.Transports;

/// <summary><c>dir:</c>, read: <c>manifest.json</c>, its <c>signature-N</c>, and the blobs, each named by the hex of its digest.</summary>
internal sealed class DirSource(ImageReference reference, RegistryOptions options) : ImageSource(reference, options), ISignedImageSource
{
    public override RawManifest FetchRawManifest(Digest? digest = null, CancellationToken cancellationToken = default)
    {
        if (digest is not { } wanted)
        {
            var bytes = ReadFile("manifest.json");
            return new RawManifest(bytes, ManifestKind.Detect(bytes, null), Digest.Compute(bytes));
        }

        return Verified(ReadFile($"{wanted.Hex}.manifest.json"), wanted, null);
    }

    public override Stream OpenBlob(Descriptor descriptor, CancellationToken cancellationToken = default) =>
        new VerifyingStream(PlainFile.Open(Path.Combine(Reference.Name, descriptor.Digest.Hex), out _), descriptor);

    public ImageSignatures FetchSignatures(Digest manifest, bool isInstance, CancellationToken cancellationToken = default)
    {
        var start = Path.Combine(Reference.Name, (isInstance ? manifest.Hex + "." : "") + "signature-");
        return new ImageSignatures(LookasideStore.ReadFiles(start), $"looked at {start}1");
    }

    private byte[] ReadFile(string name)
    {
        using var stream = PlainFile.Open(Path.Combine(Reference.Name, name), out var size);
        ManifestKind.RequireSize(size);
        var bytes = new byte[size];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
