using System.Buffers.Binary;
using System.Text;

namespace OciOstree.Container;

/// <summary>
/// What an rpm database says of one package: an index of tags over a store of values, all big-endian. Only the tags that are asked for are
/// looked at, each within the bounds of the store.
/// </summary>
internal sealed class RpmHeader
{
    private const int NameTag = 1000;
    private const int VersionTag = 1001;
    private const int ReleaseTag = 1002;
    private const int EpochTag = 1003;
    private const int ArchitectureTag = 1022;
    private const int OldFileNamesTag = 1027;
    private const int DirectoryIndexesTag = 1116;
    private const int BaseNamesTag = 1117;
    private const int DirectoryNamesTag = 1118;

    private const int Int32Type = 4;
    private const int StringType = 6;
    private const int StringArrayType = 8;
    private const int I18NStringType = 9;

    private const int EntrySize = 16;

    // rpm's own limit.
    private const int MaxEntries = 0xffff;

    private readonly ReadOnlyMemory<byte> store;
    private readonly Dictionary<int, (int Type, int Offset, int Count)> index = [];

    private RpmHeader(ReadOnlyMemory<byte> store) => this.store = store;

    internal string Name => String(NameTag) ?? throw new PackageDatabaseException("an rpm header has no name");

    /// <summary>Epoch, unless it is 0, version and release: <c>1:5.2-3.fc41</c>.</summary>
    internal string Version
    {
        get
        {
            var version = String(VersionTag) ?? throw new PackageDatabaseException($"rpm package {Name} has no version");
            var epoch = Int32s(EpochTag) is [var given, ..] && given != 0 ? $"{given}:" : "";
            return String(ReleaseTag) is { Length: > 0 } release ? $"{epoch}{version}-{release}" : epoch + version;
        }
    }

    internal string Architecture => String(ArchitectureTag) ?? "";

    /// <summary>Its files and directories, absolute.</summary>
    internal IEnumerable<string> Files()
    {
        if (Strings(OldFileNamesTag) is { Count: > 0 } old)
        {
            return old;
        }

        var (names, directories, indexes) = (Strings(BaseNamesTag), Strings(DirectoryNamesTag), Int32s(DirectoryIndexesTag));
        if (names.Count != indexes.Length)
        {
            throw new PackageDatabaseException($"rpm package {Name} has {names.Count} names of files in {indexes.Length} directories");
        }

        return names.Select((name, at) => indexes[at] < directories.Count
            ? directories[(int)indexes[at]] + name
            : throw new PackageDatabaseException($"rpm package {Name} has a file in a directory that it does not name"));
    }

    /// <summary>Reads a header as databases have it: without the magic that a package file puts before it.</summary>
    /// <exception cref="PackageDatabaseException">It is no header, or leads out of itself.</exception>
    internal static RpmHeader Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 8)
        {
            throw new PackageDatabaseException("an rpm header ends early");
        }

        var entries = BinaryPrimitives.ReadUInt32BigEndian(bytes.Span);
        var size = BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[4..]);
        if (entries is 0 or > MaxEntries || 8L + (entries * EntrySize) + size > bytes.Length)
        {
            throw new PackageDatabaseException($"an rpm header claims {entries} entries and {size} bytes in {bytes.Length}");
        }

        var header = new RpmHeader(bytes.Slice(8 + ((int)entries * EntrySize), (int)size));
        for (var i = 0; i < entries; i++)
        {
            var entry = bytes.Span.Slice(8 + (i * EntrySize), EntrySize);
            var (tag, type) = (BinaryPrimitives.ReadInt32BigEndian(entry), BinaryPrimitives.ReadInt32BigEndian(entry[4..]));
            var (offset, count) = (BinaryPrimitives.ReadUInt32BigEndian(entry[8..]), BinaryPrimitives.ReadUInt32BigEndian(entry[12..]));

            // Entries of rpm's own books may point elsewhere; what is asked for may not.
            if (tag >= NameTag && offset < size && count <= size)
            {
                header.index.TryAdd(tag, (type, (int)offset, (int)count));
            }
        }

        return header;
    }

    internal Package ToPackage() => new(PackageKind.Rpm, Name, Version, Architecture);

    private string? String(int tag) => index.TryGetValue(tag, out var entry) && entry.Type is StringType or I18NStringType ? ReadString(entry.Offset, out _) : null;

    private List<string> Strings(int tag)
    {
        List<string> strings = [];
        if (index.TryGetValue(tag, out var entry) && entry.Type == StringArrayType)
        {
            for (var (i, at) = (0, entry.Offset); i < entry.Count; i++)
            {
                strings.Add(ReadString(at, out at));
            }
        }

        return strings;
    }

    private uint[] Int32s(int tag)
    {
        if (!index.TryGetValue(tag, out var entry) || entry.Type != Int32Type)
        {
            return [];
        }

        if (entry.Count > (store.Length - entry.Offset) / 4)
        {
            throw new PackageDatabaseException("a value of an rpm header lies outside of it");
        }

        var values = new uint[entry.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadUInt32BigEndian(store.Span[(entry.Offset + (i * 4))..]);
        }

        return values;
    }

    private string ReadString(int at, out int next)
    {
        var rest = store.Span[Math.Min(at, store.Length)..];
        var length = rest.IndexOf((byte)0);
        if (length < 0)
        {
            throw new PackageDatabaseException("a string of an rpm header does not end");
        }

        next = at + length + 1;
        return Encoding.UTF8.GetString(rest[..length]);
    }
}
