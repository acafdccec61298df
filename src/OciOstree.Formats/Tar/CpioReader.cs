using System.Globalization;
using System.Text;

namespace OciOstree.Formats.Tar;

/// <summary>
/// Reads a cpio archive of the "new" portable format (<c>070701</c>, <c>070702</c>), as an initramfs is and as ostree's
/// <c>--tree=tar=</c> also takes. Files with several names are one file and hard links to it.
/// </summary>
public sealed class CpioReader
{
    private const int HeaderSize = 110;
    private const int MaxName = 1 << 20;

    private readonly Stream source;
    private readonly ContentStream content;
    // Names seen of files whose content is stored with a later one, by device and inode; and where that was.
    private readonly Dictionary<(uint, uint, uint), List<TarEntry>> waiting = [];
    private readonly Dictionary<(uint, uint, uint), byte[]> stored = [];
    private readonly Queue<TarEntry> ready = new();
    private long position;
    private bool ended;

    /// <summary>Starts to read at the stream's current position. The stream is not closed.</summary>
    public CpioReader(Stream source)
    {
        this.source = source;
        content = new ContentStream(this);
    }

    /// <summary>Whether an archive that starts with these bytes (six at the least) is one of this format.</summary>
    public static bool IsMagic(ReadOnlySpan<byte> start) => start.StartsWith("070701"u8) || start.StartsWith("070702"u8);

    /// <summary>The content of the entry that <see cref="Next"/> returned last, valid until the next call.</summary>
    public Stream Content => content;

    /// <summary>Goes to the next entry. Null at the end of the archive.</summary>
    /// <exception cref="TarException">The stream is no such archive, or is truncated.</exception>
    public TarEntry? Next()
    {
        content.SkipRest();
        while (ready.Count == 0 && !ended)
        {
            if (ReadEntry() is { } entry)
                return entry;
        }
        return ready.TryDequeue(out TarEntry? queued) ? queued : null;
    }

    private TarEntry? ReadEntry()
    {
        Align();
        Span<byte> header = stackalloc byte[HeaderSize];
        Fill(header);
        if (!IsMagic(header))
            throw new TarException("a cpio header has no magic number");
        uint inode = Field(header, 0), mode = Field(header, 1), links = Field(header, 4), size = Field(header, 6);
        uint nameSize = Field(header, 11);
        if (nameSize is 0 or > MaxName)
            throw new TarException($"a cpio entry's name is {nameSize} bytes long");
        var name = new byte[nameSize];
        Fill(name);
        if (name[^1] != 0)
            throw new TarException("a cpio entry's name does not end in a zero byte");
        name = name[..^1];
        Align();
        if (name.AsSpan().SequenceEqual("TRAILER!!!"u8))
        {
            ended = true;
            // What never got content is empty.
            foreach (List<TarEntry> names in waiting.Values)
                Release(names, names[0].Name, skipFirst: false);
            return null;
        }
        var entry = new TarEntry
        {
            Name = name,
            Mode = mode & 0xfff,
            Uid = Field(header, 2),
            Gid = Field(header, 3),
            ModifiedSeconds = Field(header, 5),
            DeviceMajor = Field(header, 9),
            DeviceMinor = Field(header, 10),
            Type = TypeOf(mode),
        };
        content.Begin(entry.Type is TarEntryType.File or TarEntryType.SymbolicLink ? size : 0);
        if (entry.Type == TarEntryType.SymbolicLink)
            entry.LinkName = ReadTarget(size);
        else if (entry.Type != TarEntryType.File && size > 0)
            throw new TarException("a cpio entry that is no file has content");
        var key = (Field(header, 7), Field(header, 8), inode);
        return entry.Type == TarEntryType.File && links > 1 ? OneOfSeveral(entry, key, size) : WithSize(entry, size);
    }

    private static TarEntry WithSize(TarEntry entry, uint size)
    {
        entry.Size = entry.Type == TarEntryType.File ? size : 0;
        return entry;
    }

    private TarEntry? OneOfSeveral(TarEntry entry, (uint, uint, uint) key, uint size)
    {
        if (stored.TryGetValue(key, out byte[]? target) && size == 0)
            return AsLink(entry, target);
        if (size == 0)
        {
            if (!waiting.TryGetValue(key, out List<TarEntry>? names))
                waiting.Add(key, names = []);
            names.Add(entry);
            return null;
        }
        stored[key] = entry.Name;
        if (waiting.Remove(key, out List<TarEntry>? earlier))
            Release(earlier, entry.Name, skipFirst: true);
        return WithSize(entry, size);
    }

    private void Release(List<TarEntry> names, byte[] target, bool skipFirst)
    {
        for (int i = 0; i < names.Count; i++)
            ready.Enqueue(i == 0 && !skipFirst ? names[i] : AsLink(names[i], target));
    }

    private static TarEntry AsLink(TarEntry entry, byte[] target)
    {
        entry.Type = TarEntryType.HardLink;
        entry.LinkName = target;
        return entry;
    }

    private byte[] ReadTarget(uint size)
    {
        if (size > MaxName)
            throw new TarException($"a symbolic link's target is {size} bytes long");
        var target = new byte[size];
        content.ReadExactly(target);
        return target;
    }

    private static TarEntryType TypeOf(uint mode) => (mode & 0xf000) switch
    {
        0x8000 => TarEntryType.File,
        0x4000 => TarEntryType.Directory,
        0xa000 => TarEntryType.SymbolicLink,
        0x2000 => TarEntryType.CharacterDevice,
        0x6000 => TarEntryType.BlockDevice,
        0x1000 => TarEntryType.Fifo,
        _ => throw new TarException($"a cpio entry has the unknown type {mode & 0xf000:x}"),
    };

    // Thirteen numbers of eight hexadecimal digits follow the magic number.
    private static uint Field(ReadOnlySpan<byte> header, int index) =>
        uint.TryParse(Encoding.ASCII.GetString(header.Slice(6 + 8 * index, 8)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
            ? value
            : throw new TarException("a cpio header has a field that is no number");

    private void Align()
    {
        Span<byte> padding = stackalloc byte[3];
        Fill(padding[..(int)(-position & 3)]);
    }

    private void Fill(Span<byte> buffer)
    {
        int read = source.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        position += read;
        if (read < buffer.Length)
            throw new TarException("the cpio archive is truncated");
    }

    private sealed class ContentStream(CpioReader reader) : ForwardReadStream
    {
        private long left;

        public void Begin(long size) => left = size;

        public void SkipRest()
        {
            Span<byte> scratch = stackalloc byte[4096];
            while (left > 0)
                _ = Read(scratch);
        }

        public override int Read(Span<byte> buffer)
        {
            int wanted = (int)Math.Min(buffer.Length, left);
            if (wanted == 0)
                return 0;
            int read = reader.source.Read(buffer[..wanted]);
            if (read == 0)
                throw new TarException("the cpio archive is truncated");
            left -= read;
            reader.position += read;
            return read;
        }
    }
}
