using System.Collections.Concurrent;
using System.Text;
using OciOstree.Formats.Tar;
using OciOstree.Linux;

namespace OciOstree.Registry.Transports;

/// <summary>
/// What destinations that are one tar file share: blobs wait in unnamed files beside it until all are known, since the same
/// image must give the same archive whatever order its blobs come in.
/// </summary>
internal abstract class ArchiveDestination(ImageReference reference, string spoolDirectory) : ImageDestination(reference)
{
    private readonly ConcurrentDictionary<Digest, SpoolFile> blobs = new();

    protected override string SpoolDirectory => spoolDirectory;

    /// <summary>By digest as given; their content may have been decompressed.</summary>
    protected IReadOnlyDictionary<Digest, SpoolFile> Blobs => blobs;

    public override bool HasBlob(Digest digest, long size, CancellationToken cancellationToken = default) => blobs.ContainsKey(digest);

    protected static string DirectoryOf(string path)
    {
        if (Directory.Exists(path))
        {
            throw new RegistryException($"{path} is a directory, not an archive");
        }

        return Path.GetDirectoryName(Path.GetFullPath(path))!;
    }

    /// <summary>Writes the archive anew and puts it in the old one's place.</summary>
    protected static void Publish(string path, Action<TarWriter> write)
    {
        using var spool = SpoolFile.Create(DirectoryOf(path), computeDigest: false);
        Pack(spool, write);
        try
        {
            spool.NameAs(path);
            PlainFile.SyncDirectory(DirectoryOf(path));
        }
        catch (LinuxException e)
        {
            throw new RegistryException($"writing {path}: {e.Message}");
        }
    }

    protected static void Pack(SpoolFile spool, Action<TarWriter> write)
    {
        using var buffered = new BufferedStream(spool.OpenWrite(), 1 << 20);
        var tar = new TarWriter(buffered);
        write(tar);
        tar.Finish();
    }

    /// <summary>A file of owner 0:0 and time 0, so that the archive depends on its content alone.</summary>
    protected static TarEntry Entry(string name, long size) => new()
    {
        Name = Encoding.UTF8.GetBytes(name),
        Type = TarEntryType.File,
        Mode = 0x1A4, // 0644
        Size = size,
    };

    protected static TarEntry DirectoryEntry(string name) => new()
    {
        Name = Encoding.UTF8.GetBytes(name + "/"),
        Type = TarEntryType.Directory,
        Mode = 0x1ED, // 0755
    };

    protected override void StoreBlob(SpoolFile spool, Descriptor descriptor, CancellationToken cancellationToken)
    {
        var kept = spool.Take();
        if (!blobs.TryAdd(descriptor.Digest, kept))
        {
            kept.Dispose();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var blob in blobs.Values)
            {
                blob.Dispose();
            }
        }
    }
}
