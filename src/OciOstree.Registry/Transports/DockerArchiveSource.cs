using System.Security.Cryptography;
using OciOstree.Formats.Compression;

namespace OciOstree.Registry.Transports;

/// <summary>
/// <c>docker-archive:</c>, read: what <c>docker save</c> writes. It holds no manifest in the sense of a registry, so one is
/// made for it, of Docker's version 2, schema 2.
/// </summary>
internal sealed class DockerArchiveSource : ImageSource
{
    private readonly ArchiveFile archive;
    private readonly string? name;
    private readonly Dictionary<Digest, string> files = [];
    private RawManifest? manifest;

    private DockerArchiveSource(ImageReference reference, string? name, RegistryOptions options, ArchiveFile archive)
        : base(reference, options)
    {
        this.archive = archive;
        this.name = name;
    }

    internal static DockerArchiveSource Open(ImageReference reference, RegistryOptions options)
    {
        var place = PathAndName.Parse(reference);
        return new DockerArchiveSource(reference, place.Name, options, ArchiveFile.Open(place.Path, options));
    }

    /// <summary>An archive that an engine handed out, with one image in it.</summary>
    internal static DockerArchiveSource Over(ImageReference reference, RegistryOptions options, ArchiveFile archive) => new(reference, null, options, archive);

    public override RawManifest FetchRawManifest(Digest? digest = null, CancellationToken cancellationToken = default)
    {
        manifest ??= MakeManifest(cancellationToken);
        return digest is null || digest == manifest.Digest ? manifest : throw new RegistryException($"no manifest {digest} in {Reference}");
    }

    public override Stream OpenBlob(Descriptor descriptor, CancellationToken cancellationToken = default)
    {
        FetchRawManifest(null, cancellationToken);
        return files.TryGetValue(descriptor.Digest, out var file)
            ? new VerifyingStream(archive.OpenFile(file, out _), descriptor)
            : throw new RegistryException($"no blob {descriptor.Digest} in {Reference}");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            archive.Dispose();
        }
    }

    private RawManifest MakeManifest(CancellationToken cancellationToken)
    {
        var entry = Select(DockerArchiveEntry.ParseAll(archive.ReadFile(DockerArchiveEntry.FileName)));
        var configBytes = archive.ReadFile(entry.Config);
        var config = ImageConfig.Parse(configBytes);
        if (config.DiffIds.Count != entry.Layers.Count)
        {
            throw new RegistryException($"the archive has {entry.Layers.Count} layers, the image's configuration {config.DiffIds.Count}");
        }

        var configDescriptor = new Descriptor(MediaTypes.DockerConfig, Digest.Compute(configBytes), configBytes.Length);
        files[configDescriptor.Digest] = entry.Config;
        var layers = new List<Descriptor>();
        for (var i = 0; i < entry.Layers.Count; i++)
        {
            var layer = Describe(entry.Layers[i], config.DiffIds[i], cancellationToken);
            files[layer.Digest] = entry.Layers[i];
            layers.Add(layer);
        }

        var bytes = new Manifest { MediaType = MediaTypes.DockerManifest, Config = configDescriptor, Layers = layers }.Serialize();
        return new RawManifest(bytes, MediaTypes.DockerManifest, Digest.Compute(bytes));
    }

    private DockerArchiveEntry Select(List<DockerArchiveEntry> entries)
    {
        if (name is null)
        {
            return entries is [var only]
                ? only
                : throw new RegistryException($"the archive holds {entries.Count} images{(entries.Count == 0 ? "" : ", name one of them")}");
        }

        if (name[0] == '@' && int.TryParse(name.AsSpan(1), out var number))
        {
            return number >= 0 && number < entries.Count ? entries[number] : throw new RegistryException($"the archive holds {entries.Count} images");
        }

        return entries.Find(e => e.RepoTags.Any(tag => tag == name || tag == "docker.io/" + name || tag == "docker.io/library/" + name || "docker.io/" + tag == name))
            ?? throw new RegistryException($"no image is named '{Printable.Clip(name)}' in the archive");
    }

    /// <summary>An uncompressed layer's digest is its diff id; a compressed one must be read for it.</summary>
    private Descriptor Describe(string file, Digest diffId, CancellationToken cancellationToken)
    {
        using var content = archive.OpenFile(file, out var size);
        var buffer = new byte[256 << 10];
        var read = content.ReadAtLeast(buffer, 4, throwOnEndOfStream: false);
        var kind = Decompressor.Detect(buffer.AsSpan(0, read));
        if (kind is not (CompressionKind.Gzip or CompressionKind.Zstd))
        {
            return new Descriptor(MediaTypes.DockerLayer, diffId, size);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (; read > 0; read = content.Read(buffer))
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        var type = kind == CompressionKind.Gzip ? MediaTypes.DockerLayerGzip : MediaTypes.OciLayerZstd;
        return new Descriptor(type, Digest.FromSha256(hash.GetHashAndReset()), size);
    }
}
