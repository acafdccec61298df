using OciOstree.Formats.Compression;

namespace OciOstree.Registry.Transports;

/// <summary><c>docker-archive:</c>, written: a new archive with one image, its layers uncompressed as <c>docker load</c> wants them.</summary>
internal class DockerArchiveDestination : ArchiveDestination
{
    private readonly string? path;
    private readonly string? name;
    private Manifest? manifest;

    protected DockerArchiveDestination(ImageReference reference, string? path, string? name, string spoolDirectory)
        : base(reference, spoolDirectory)
    {
        this.path = path;
        this.name = name;
    }

    internal static DockerArchiveDestination Open(ImageReference reference)
    {
        var place = PathAndName.Parse(reference);
        return new DockerArchiveDestination(reference, place.Path, place.Name, DirectoryOf(place.Path));
    }

    public override void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default)
    {
        if (instance || !MediaTypes.IsManifest(mediaType))
        {
            throw new RegistryException($"{ImageReference.Prefix(Reference.Transport)} holds single images, not indexes");
        }

        manifest = Manifest.Parse(bytes);
    }

    public override void Finish(CancellationToken cancellationToken = default) => Publish(path!, tar => Write(tar, cancellationToken));

    protected void Write(OciOstree.Formats.Tar.TarWriter tar, CancellationToken cancellationToken)
    {
        var image = manifest ?? throw new InvalidOperationException("an image needs a manifest");
        var configBlob = Blobs[image.Config.Digest];
        ManifestKind.RequireSize(configBlob.Length);
        var configBytes = new byte[configBlob.Length];
        using (var stream = configBlob.OpenRead())
        {
            stream.ReadExactly(configBytes);
        }

        var config = ImageConfig.Parse(configBytes);
        if (config.DiffIds.Count != image.Layers.Count)
        {
            throw new RegistryException($"the image has {image.Layers.Count} layers, its configuration {config.DiffIds.Count}");
        }

        var files = config.DiffIds.Select(d => d.Hex + ".tar").ToList();
        foreach (var (file, layer) in files.Zip(image.Layers).DistinctBy(pair => pair.First))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var content = Blobs[layer.Digest].OpenRead();
            tar.Write(Entry(file, Blobs[layer.Digest].Length), content);
        }

        var configFile = image.Config.Digest.Hex + ".json";
        tar.Write(Entry(configFile, configBytes.Length), configBytes);
        var index = new DockerArchiveEntry(configFile, name is null ? [] : [name], files).Serialize();
        tar.Write(Entry(DockerArchiveEntry.FileName, index.Length), index);
    }

    protected override void StoreBlob(SpoolFile spool, Descriptor descriptor, CancellationToken cancellationToken)
    {
        using var head = spool.OpenRead();
        var magic = new byte[4];
        var length = head.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        if (Decompressor.Detect(magic.AsSpan(0, length)) == CompressionKind.None)
        {
            base.StoreBlob(spool, descriptor, cancellationToken);
            return;
        }

        using var plain = SpoolFile.Create(SpoolDirectory, computeDigest: false);
        try
        {
            using var content = Decompressor.Open(spool.OpenRead());
            plain.AppendAll(content, cancellationToken);
        }
        catch (CompressionException e)
        {
            throw new RegistryException($"decompressing blob {descriptor.Digest}: {e.Message}");
        }

        base.StoreBlob(plain, descriptor, cancellationToken);
    }
}
