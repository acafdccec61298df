using System.IO.Compression;
using System.Text;
using OciOstree.Formats;
using OciOstree.Formats.Tar;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>An image in memory, made layer by layer, that can lie about what it holds.</summary>
internal sealed class MemoryImage : IImageSource
{
    private readonly Dictionary<Digest, byte[]> blobs = [];
    private readonly List<Descriptor> layers = [];
    private readonly List<Digest> diffIds = [];
    private readonly List<HistoryEntry> history = [];

    public ImageReference Reference => new(Transport.Dir, "/memory");

    public Dictionary<string, string> Labels { get; } = [];

    public string? Created { get; set; } = "2026-04-01T00:00:00Z";

    /// <summary>Digests of the blobs that were asked for, in order.</summary>
    public List<Digest> Opened { get; } = [];

    /// <summary>Called before a blob is opened.</summary>
    public Action<Digest>? OnOpen { get; set; }

    /// <summary>What a commit becomes when it is encapsulated, by way of an OCI layout at <paramref name="layout"/>; layers can then be added to it.</summary>
    public static MemoryImage Encapsulated(Repo repo, Checksum commit, string layout)
    {
        var reference = ImageReference.Parse($"oci:{layout}:1");
        using (var destination = Images.OpenDestination(reference, new RegistryOptions()))
        {
            OciOstree.Container.Encapsulation.Run(repo, commit, destination, new EncapsulateOptions(), TransferProgress.None, default);
        }

        using var source = Images.OpenSource(reference, new RegistryOptions());
        var manifest = source.FetchManifest(null, default).Manifest;
        var config = ImageConfig.Parse(source.ReadBlob(manifest.Config));
        var image = new MemoryImage();
        for (var index = 0; index < manifest.Layers.Count; index++)
        {
            image.AddBlob(source.ReadBlob(manifest.Layers[index]), config.DiffIds[index]);
        }

        foreach (var (key, value) in config.Labels)
        {
            image.Labels[key] = value;
        }

        return image;
    }

    /// <summary>Reads an OCI archive; its layers can then be added to or tampered with.</summary>
    public static MemoryImage FromArchive(string path)
    {
        Dictionary<string, byte[]> files = [];
        using (var stream = File.OpenRead(path))
        {
            var reader = new TarReader(stream);
            while (reader.Next() is { } entry)
            {
                if (entry.Type == TarEntryType.File)
                {
                    using var content = new MemoryStream();
                    reader.Content.CopyTo(content);
                    var name = Encoding.UTF8.GetString(entry.Name);
                    files[name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name] = content.ToArray();
                }
            }
        }

        byte[] Blob(Digest digest) => files[$"blobs/sha256/{digest.Hex}"];
        var image = new MemoryImage();
        var index = ImageIndex.Parse(files["index.json"]);
        image.raw = Blob(index.Manifests[0].Digest);
        var manifest = Manifest.Parse(image.raw);
        image.blobs[manifest.Config.Digest] = Blob(manifest.Config.Digest);
        foreach (var layer in manifest.Layers)
        {
            image.blobs[layer.Digest] = Blob(layer.Digest);
        }

        image.layers.AddRange(manifest.Layers);
        var config = ImageConfig.Parse(Blob(manifest.Config.Digest));
        image.diffIds.AddRange(config.DiffIds);
        image.history.AddRange(config.History);
        image.Created = config.Created;
        foreach (var (name, value) in config.Labels)
        {
            image.Labels[name] = value;
        }

        return image;
    }

    private byte[]? raw;

    public MemoryImage AddTar(Action<TarWriter> write) => AddTar(Tar(write));

    /// <summary>Adds a layer of these bytes, compressed.</summary>
    public MemoryImage AddTar(byte[] tar, CompressionLevel level = CompressionLevel.Fastest) => AddBlob(Compress(tar, level), Digest.Compute(tar));

    public static byte[] Compress(byte[] tar, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, level, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return compressed.ToArray();
    }

    public MemoryImage AddBlob(byte[] blob, Digest diffId, string mediaType = MediaTypes.OciLayerGzip, params string[] urls)
    {
        raw = null;
        var digest = Digest.Compute(blob);
        blobs[digest] = blob;
        layers.Add(new Descriptor(mediaType, digest, blob.Length) { Urls = urls.Length > 0 ? urls : null });
        diffIds.Add(diffId);
        history.Add(new HistoryEntry { Created = Created, CreatedBy = $"step {layers.Count}\nwith a line break" });
        return this;
    }

    /// <summary>A step of the build that changed no file: there is no layer for it.</summary>
    public MemoryImage AddEmptyStep(string command)
    {
        raw = null;
        history.Add(new HistoryEntry { Created = Created, CreatedBy = command, EmptyLayer = true });
        return this;
    }

    public static byte[] Tar(Action<TarWriter> write)
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        write(writer);
        writer.Finish();
        return stream.ToArray();
    }

    public int Count => layers.Count;

    public Descriptor Layer(int index) => layers[index];

    public Digest DiffId(int layer) => diffIds[layer];

    public byte[] Blob(int layer) => blobs[layers[layer].Digest];

    /// <summary>Puts other bytes where a layer's are, under the same digest.</summary>
    public void Tamper(int layer, Func<byte[], byte[]> change) => blobs[layers[layer].Digest] = change(blobs[layers[layer].Digest]);

    public FetchedManifest FetchManifest(Platform? platform = null, CancellationToken cancellationToken = default)
    {
        if (raw is null)
        {
            var config = new ImageConfig { Architecture = Platform.Current.Architecture, Created = Created, Config = new ContainerConfig { Labels = Labels }, DiffIds = diffIds, History = history }.Serialize();
            var digest = Digest.Compute(config);
            blobs[digest] = config;
            raw = new Manifest { Config = new Descriptor(MediaTypes.OciConfig, digest, config.Length), Layers = layers }.Serialize();
        }

        return new FetchedManifest(raw, MediaTypes.OciManifest, Digest.Compute(raw), Manifest.Parse(raw), null);
    }

    public RawManifest FetchRawManifest(Digest? digest = null, CancellationToken cancellationToken = default)
    {
        var fetched = FetchManifest(null, cancellationToken);
        return new RawManifest(fetched.Bytes, fetched.MediaType, fetched.Digest);
    }

    /// <summary>Writes it as an OCI layout, under the tag <c>1</c>, for other programs.</summary>
    public void WriteLayout(string path)
    {
        var fetched = FetchManifest();
        Directory.CreateDirectory(Path.Combine(path, "blobs/sha256"));
        foreach (var (digest, blob) in blobs.Append(new(fetched.Digest, fetched.Bytes.ToArray())))
        {
            File.WriteAllBytes(Path.Combine(path, "blobs/sha256", digest.Hex), blob);
        }

        File.WriteAllText(Path.Combine(path, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        File.WriteAllText(Path.Combine(path, "index.json"), $$$"""
            {"schemaVersion":2,"manifests":[{"mediaType":"{{{fetched.MediaType}}}","digest":"{{{fetched.Digest}}}","size":{{{fetched.Bytes.Length}}},
             "annotations":{"org.opencontainers.image.ref.name":"1"}}]}
            """);
    }

    public Stream OpenBlob(Descriptor descriptor, PartialBlobs partial, CancellationToken cancellationToken = default) => OpenBlob(descriptor, cancellationToken);

    public Stream OpenBlob(Descriptor descriptor, CancellationToken cancellationToken = default)
    {
        lock (Opened)
        {
            Opened.Add(descriptor.Digest);
        }

        OnOpen?.Invoke(descriptor.Digest);
        return new Verified(blobs[descriptor.Digest], descriptor);
    }

    public void Dispose()
    {
    }

    private sealed class Verified(byte[] bytes, Descriptor descriptor) : ForwardReadStream
    {
        private int at;

        public override int Read(Span<byte> buffer)
        {
            // Short reads, as from a network.
            var count = Math.Min(Math.Min(buffer.Length, 1000), bytes.Length - at);
            bytes.AsSpan(at, count).CopyTo(buffer);
            at += count;
            return count > 0 || buffer.IsEmpty || (bytes.Length == descriptor.Size && descriptor.Digest.Matches(bytes))
                ? count
                : throw new RegistryException($"blob {descriptor.Digest} has another digest");
        }
    }
}
