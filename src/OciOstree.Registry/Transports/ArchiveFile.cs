using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.Compression;
using OciOstree.Formats.Tar;

namespace OciOstree.Registry.Transports;

/// <summary>
/// The files of a tar archive, read where they are: the archive is scanned once for where each begins, and nothing is
/// unpacked. A compressed archive is decompressed into a temporary file first.
/// </summary>
internal sealed class ArchiveFile : IDisposable
{
    private const int LinkLimit = 8;

    private readonly Dictionary<string, (long Offset, long Size)> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> links = new(StringComparer.Ordinal);
    private readonly string path;
    private readonly SafeFileHandle? handle;
    private readonly SpoolFile? spool;

    private ArchiveFile(string path, SafeFileHandle handle, RegistryOptions options)
    {
        this.path = path;
        this.handle = handle;
        var magic = new byte[4];
        var length = RandomAccess.Read(handle, magic, 0);
        if (Decompressor.Detect(magic.AsSpan(0, length)) != CompressionKind.None)
        {
            spool = Decompress(handle, options);
        }
    }

    private ArchiveFile(string path, SpoolFile spool)
    {
        this.path = path;
        this.spool = spool;
    }

    internal static ArchiveFile Open(string path, RegistryOptions options)
    {
        SafeFileHandle? handle = null;
        ArchiveFile? archive = null;
        try
        {
            handle = File.OpenHandle(path, options: FileOptions.RandomAccess);
            archive = new ArchiveFile(path, handle, options);
            return archive.Scan();
        }
        catch (Exception e)
        {
            archive?.Dispose();
            handle?.Dispose();
            throw e switch
            {
                TarException or CompressionException => new RegistryException($"{path}: {e.Message}"),
                IOException or UnauthorizedAccessException or NotSupportedException => new RegistryException($"{path}: {PlainFile.WhyNotOpened(path, e)}"),
                _ => e,
            };
        }
    }

    /// <summary>An archive that is no file: one that an engine handed out. It takes over the spool.</summary>
    /// <param name="name">For messages.</param>
    internal static ArchiveFile Open(string name, SpoolFile spool)
    {
        try
        {
            return new ArchiveFile(name, spool).Scan();
        }
        catch (TarException e)
        {
            spool.Dispose();
            throw new RegistryException($"{name}: {e.Message}");
        }
    }

    internal bool Contains(string name) => Find(name) is not null;

    internal FileSlice OpenFile(string name, out long size)
    {
        var (offset, length) = Find(name) ?? throw new RegistryException($"{path}: no {Printable.Clip(name)} in the archive");
        size = length;
        return spool is null ? new FileSlice(handle!, offset, length, ownsHandle: false) : spool.OpenRead(offset, length);
    }

    /// <summary>The whole of a small file.</summary>
    internal byte[] ReadFile(string name)
    {
        using var stream = OpenFile(name, out var size);
        ManifestKind.RequireSize(size);
        var bytes = new byte[size];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public void Dispose()
    {
        handle?.Dispose();
        spool?.Dispose();
    }

    private static SpoolFile Decompress(SafeFileHandle handle, RegistryOptions options)
    {
        var spool = SpoolFile.Create(options.TemporaryDirectory, computeDigest: false);
        try
        {
            using var plain = Decompressor.Open(new FileSlice(handle, 0, RandomAccess.GetLength(handle), ownsHandle: false));
            spool.AppendAll(plain, CancellationToken.None);
            return spool;
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }

    private ArchiveFile Scan()
    {
        using var stream = spool is null ? new FileSlice(handle!, 0, RandomAccess.GetLength(handle!), ownsHandle: false) : spool.OpenRead(0, spool.Length);
        var reader = new TarReader(stream);
        while (reader.Next() is { } entry)
        {
            var name = Normalise(Encoding.UTF8.GetString(entry.Name));
            switch (entry.Type)
            {
                case TarEntryType.File:
                    files[name] = (reader.Offset, entry.Size);
                    links.Remove(name);
                    break;
                case TarEntryType.SymbolicLink:
                    links[name] = Normalise(Path.Combine(Path.GetDirectoryName(name) ?? "", Encoding.UTF8.GetString(entry.LinkName)));
                    break;
                case TarEntryType.HardLink:
                    links[name] = Normalise(Encoding.UTF8.GetString(entry.LinkName));
                    break;
            }
        }

        return this;
    }

    private (long Offset, long Size)? Find(string name)
    {
        name = Normalise(name);
        for (var hops = 0; hops < LinkLimit; hops++)
        {
            if (files.TryGetValue(name, out var found))
            {
                return found;
            }

            if (!links.TryGetValue(name, out name!))
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>Names are only compared, so <c>..</c> can lead nowhere.</summary>
    private static string Normalise(string name)
    {
        var parts = new List<string>();
        foreach (var part in name.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("" or "." or ".."))
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }
}
