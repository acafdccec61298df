using OciOstree.Linux;

namespace OciOstree.Registry.Transports;

/// <summary><c>dir:</c>, written.</summary>
internal sealed class DirDestination : ImageDestination
{
    private const string VersionFile = "version";
    private readonly string directory;
    private byte[]? manifest;

    internal DirDestination(ImageReference reference)
        : base(reference)
    {
        directory = reference.Name;
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any() && !File.Exists(Path.Combine(directory, VersionFile)))
        {
            throw new RegistryException($"{directory} is not empty and holds no image: not writing into it");
        }

        PlainFile.MakeDirectory(directory);
    }

    protected override string SpoolDirectory => directory;

    public override bool HasBlob(Digest digest, long size, CancellationToken cancellationToken = default) => PlainFile.HasSize(BlobPath(digest), size);

    public override void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default)
    {
        if (instance)
        {
            PlainFile.Replace(BlobPath(Digest.Compute(bytes.Span)) + ".manifest.json", bytes.Span);
        }
        else
        {
            manifest = bytes.ToArray();
        }
    }

    public override void Finish(CancellationToken cancellationToken = default)
    {
        PlainFile.Replace(Path.Combine(directory, VersionFile), "Directory Transport Version: 1.1\n"u8);
        try
        {
            PlainFile.Publish(Path.Combine(directory, "manifest.json"), manifest ?? throw new InvalidOperationException("an image needs a manifest"), directory);
        }
        catch (LinuxException e)
        {
            throw new RegistryException($"writing {directory}: {e.Message}");
        }
    }

    protected override void StoreBlob(SpoolFile spool, Descriptor descriptor, CancellationToken cancellationToken) => spool.NameAs(BlobPath(descriptor.Digest));

    private string BlobPath(Digest digest) => Path.Combine(directory, digest.Hex);
}
