namespace OciOstree.Registry.Transports;

/// <summary>Reads an image of an OCI layout, wherever its files are.</summary>
internal abstract class LayoutSource(ImageReference reference, string? name, RegistryOptions options) : ImageSource(reference, options)
{
    private Descriptor? image;

    public override RawManifest FetchRawManifest(Digest? digest = null, CancellationToken cancellationToken = default)
    {
        image ??= LayoutIndex.Find(ImageIndex.Parse(ReadFile(LayoutIndex.FileName)), name);
        var wanted = digest ?? image.Digest;
        return Verified(ReadFile(LayoutIndex.BlobPath(wanted)), wanted, digest is null ? image.MediaType : null);
    }

    public override Stream OpenBlob(Descriptor descriptor, CancellationToken cancellationToken = default)
    {
        var stream = Open(LayoutIndex.BlobPath(descriptor.Digest), out var size);
        if (size == descriptor.Size)
        {
            return new VerifyingStream(stream, descriptor);
        }

        stream.Dispose();
        throw new RegistryException($"blob {descriptor.Digest} of {Reference} has {size} bytes, its manifest says {descriptor.Size}");
    }

    /// <summary>Opens a file of the layout.</summary>
    protected abstract Stream Open(string path, out long size);

    private byte[] ReadFile(string path)
    {
        using var stream = Open(path, out var size);
        ManifestKind.RequireSize(size);
        var bytes = new byte[size];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
