using OciOstree.Linux;

namespace OciOstree.Registry.Transports;

/// <summary><c>oci:</c>, written: a layout in a directory. It may hold several images, and readers never see half of one.</summary>
internal sealed class OciDestination : ImageDestination
{
    private const string LockFile = ".lock";
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(30);

    private readonly string directory;
    private readonly string? name;
    private Descriptor? image;

    private OciDestination(ImageReference reference, string directory, string? name)
        : base(reference)
    {
        this.directory = directory;
        this.name = name;
        PlainFile.MakeDirectory(Path.Combine(directory, "blobs/sha256"));
    }

    protected override string SpoolDirectory => directory;

    internal static OciDestination Open(ImageReference reference)
    {
        var place = PathAndName.Parse(reference);
        return new OciDestination(reference, place.Path, place.Name);
    }

    /// <summary>A layout at a path that may hold a colon, for an archive in the making.</summary>
    internal static OciDestination At(ImageReference reference, string directory, string? name) => new(reference, directory, name);

    public override bool HasBlob(Digest digest, long size, CancellationToken cancellationToken = default) => PlainFile.HasSize(BlobPath(digest), size);

    public override void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default)
    {
        var digest = Digest.Compute(bytes.Span);
        if (!PlainFile.HasSize(BlobPath(digest), bytes.Length))
        {
            PlainFile.Replace(BlobPath(digest), bytes.Span);
        }

        if (!instance)
        {
            image = new Descriptor(mediaType, digest, bytes.Length);
        }
    }

    public override void Finish(CancellationToken cancellationToken = default)
    {
        if (image is null)
        {
            throw new InvalidOperationException("an image needs a manifest");
        }

        try
        {
            // Two writers may add images to one layout at the same time.
            using var open = LinuxDirectory.Open(directory);
            using var held = FileLock.Acquire(open, LockFile, LockKind.Exclusive, LockTimeout, removeOnRelease: true);
            PlainFile.Replace(Path.Combine(directory, LayoutIndex.LayoutFileName), LayoutIndex.LayoutFileContent);
            var path = Path.Combine(directory, LayoutIndex.FileName);
            PlainFile.Publish(path, LayoutIndex.With(ReadIndex(path), image, name).Serialize(), Path.Combine(directory, "blobs"), Path.Combine(directory, "blobs/sha256"));
        }
        catch (LinuxException e)
        {
            throw new RegistryException($"writing {directory}: {e.Message}");
        }
    }

    protected override void StoreBlob(SpoolFile spool, Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (descriptor.Digest.Algorithm != "sha256")
        {
            PlainFile.MakeDirectory(Path.Combine(directory, "blobs", descriptor.Digest.Algorithm));
        }

        spool.NameAs(BlobPath(descriptor.Digest));
    }

    private static ImageIndex ReadIndex(string path)
    {
        if (!File.Exists(path))
        {
            return new ImageIndex { MediaType = null, Manifests = [] };
        }

        using var file = PlainFile.Open(path, out var size);
        ManifestKind.RequireSize(size);
        var bytes = new byte[size];
        file.ReadExactly(bytes);
        return ImageIndex.Parse(bytes);
    }

    private string BlobPath(Digest digest) => Path.Combine(directory, LayoutIndex.BlobPath(digest));
}
