using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace OciOstree.Formats.Tar;

/// <summary>
/// What the records of PAX extended headers say about an entry. A record is <c>LENGTH KEY=VALUE\n</c>, LENGTH counting all of itself;
/// an empty VALUE takes back what an earlier header said.
/// </summary>
internal sealed class PaxRecords
{
    private const int MaxSparseSegments = 1 << 20;

    internal byte[]? Path;
    internal byte[]? LinkPath;
    internal long? Size;
    internal long? Uid;
    internal long? Gid;
    internal string? UserName;
    internal string? GroupName;
    internal (long Seconds, uint Nanoseconds)? Modified;
    internal uint? DeviceMajor;
    internal uint? DeviceMinor;
    internal List<TarXattr>? Xattrs;

    internal int? SparseMajor;
    internal byte[]? SparseName;
    internal long? SparseRealSize;
    internal List<SparseSegment>? SparseMap;
    private long? pendingSparseOffset;

    internal bool IsSparse => SparseMajor is not null || SparseRealSize is not null || SparseMap is not null;

    internal void Apply(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int space = data[..Math.Min(data.Length, 20)].IndexOf((byte)' ');
            if (space <= 0 || !Utf8Parser.TryParse(data[..space], out int length, out int digits) || digits != space
                || data[0] is < (byte)'0' or > (byte)'9')
            {
                throw new TarException("an extended header's record has no length");
            }

            // The shortest record is "5 a=\n".
            if (length <= space + 2 || length > data.Length || data[length - 1] != '\n')
            {
                throw new TarException($"an extended header's record claims a wrong length of {length}");
            }

            ReadOnlySpan<byte> record = data[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                throw new TarException("an extended header's record has no keyword");
            }

            ApplyRecord(record[..equals], record[(equals + 1)..]);
            data = data[length..];
        }
    }

    private void ApplyRecord(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.StartsWith("SCHILY.xattr."u8))
        {
            SetXattr(key["SCHILY.xattr.".Length..].ToArray(), value, replace: true);
        }
        else if (key.StartsWith("LIBARCHIVE.xattr."u8))
        {
            SetLibarchiveXattr(key["LIBARCHIVE.xattr.".Length..], value);
        }
        else if (key.StartsWith("GNU.sparse."u8))
        {
            ApplySparse(key["GNU.sparse.".Length..], value);
        }
        else if (key.SequenceEqual("path"u8))
        {
            Path = Name(key, value);
        }
        else if (key.SequenceEqual("linkpath"u8))
        {
            LinkPath = Name(key, value);
        }
        else if (key.SequenceEqual("size"u8))
        {
            Size = Count(key, value);
        }
        else if (key.SequenceEqual("uid"u8))
        {
            Uid = Count(key, value);
        }
        else if (key.SequenceEqual("gid"u8))
        {
            Gid = Count(key, value);
        }
        else if (key.SequenceEqual("uname"u8))
        {
            UserName = Text(key, value);
        }
        else if (key.SequenceEqual("gname"u8))
        {
            GroupName = Text(key, value);
        }
        else if (key.SequenceEqual("mtime"u8))
        {
            Modified = Time(key, value);
        }
        else if (key.SequenceEqual("SCHILY.devmajor"u8))
        {
            DeviceMajor = Device(key, value);
        }
        else if (key.SequenceEqual("SCHILY.devminor"u8))
        {
            DeviceMinor = Device(key, value);
        }
    }

    private void ApplySparse(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("major"u8))
        {
            long? major = Count(key, value);
            if (major > 1)
            {
                throw new TarException($"unknown version {major} of the sparse format");
            }

            SparseMajor = (int?)major;
        }
        else if (key.SequenceEqual("name"u8))
        {
            SparseName = Name(key, value);
        }
        else if (key.SequenceEqual("size"u8) || key.SequenceEqual("realsize"u8))
        {
            SparseRealSize = Count(key, value);
        }
        else if (key.SequenceEqual("map"u8))
        {
            SparseMap = ParseMap(value);
        }
        else if (key.SequenceEqual("numblocks"u8))
        {
            // Version 0.0 opens its list of pairs with their number; what the pairs themselves say is enough.
            SparseMap = [];
            pendingSparseOffset = null;
        }
        else if (key.SequenceEqual("offset"u8))
        {
            pendingSparseOffset = Count(key, value);
        }
        else if (key.SequenceEqual("numbytes"u8))
        {
            if (pendingSparseOffset is not { } offset || Count(key, value) is not { } length)
            {
                throw new TarException("a sparse map has a length without an offset");
            }

            AddSegment(SparseMap ??= [], offset, length);
            pendingSparseOffset = null;
        }
    }

    private static List<SparseSegment> ParseMap(ReadOnlySpan<byte> value)
    {
        var map = new List<SparseSegment>();
        long? offset = null;
        while (!value.IsEmpty)
        {
            int comma = value.IndexOf((byte)',');
            ReadOnlySpan<byte> field = comma < 0 ? value : value[..comma];
            value = comma < 0 ? default : value[(comma + 1)..];
            long number = Count("GNU.sparse.map"u8, field) ?? throw new TarException("a sparse map has an empty number");
            if (offset is null)
            {
                offset = number;
            }
            else
            {
                AddSegment(map, offset.Value, number);
                offset = null;
            }
        }

        return offset is null ? map : throw new TarException("a sparse map has an offset without a length");
    }

    internal static void AddSegment(List<SparseSegment> map, long offset, long length)
    {
        if (map.Count >= MaxSparseSegments)
        {
            throw new TarException($"a sparse map has more than {MaxSparseSegments} segments");
        }

        map.Add(new SparseSegment(offset, length));
    }

    private void SetXattr(byte[] name, ReadOnlySpan<byte> value, bool replace)
    {
        if (name.Length == 0 || name.Contains((byte)0))
        {
            throw new TarException("an extended attribute has no valid name");
        }

        Xattrs ??= [];
        int at = Xattrs.FindIndex(x => x.Name.AsSpan().SequenceEqual(name));
        if (at < 0)
        {
            Xattrs.Add(new TarXattr(name, value.ToArray()));
        }
        else if (replace)
        {
            Xattrs[at] = new TarXattr(name, value.ToArray());
        }
    }

    // The name is URL-encoded, the value base64 without padding. bsdtar writes the SCHILY form beside it, which then counts.
    private void SetLibarchiveXattr(ReadOnlySpan<byte> encodedName, ReadOnlySpan<byte> encodedValue)
    {
        var name = new List<byte>(encodedName.Length);
        for (int i = 0; i < encodedName.Length; i++)
        {
            if (encodedName[i] == '%' && i + 2 < encodedName.Length
                && Utf8Parser.TryParse(encodedName.Slice(i + 1, 2), out byte b, out int used, 'x') && used == 2)
            {
                name.Add(b);
                i += 2;
            }
            else
            {
                name.Add(encodedName[i]);
            }
        }

        ReadOnlySpan<byte> trimmed = encodedValue.TrimEnd("=\n"u8);
        byte[] padded = new byte[(trimmed.Length + 3) / 4 * 4];
        padded.AsSpan().Fill((byte)'=');
        trimmed.CopyTo(padded);
        byte[] value = new byte[padded.Length / 4 * 3];
        if (Base64.DecodeFromUtf8(padded, value, out int consumed, out int written) != OperationStatus.Done || consumed != padded.Length)
        {
            throw new TarException($"the extended attribute {Encoding.UTF8.GetString(encodedName)} is not valid base64");
        }

        SetXattr([.. name], value.AsSpan(0, written), replace: false);
    }

    private static byte[]? Name(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.Contains((byte)0))
        {
            throw new TarException($"the extended header's {Encoding.UTF8.GetString(key)} has a NUL in it");
        }

        return value.IsEmpty ? null : value.ToArray();
    }

    private static string? Text(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        => Name(key, value) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private static long? Count(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return null;
        }

        if (!Utf8Parser.TryParse(value, out long number, out int used) || used != value.Length || number < 0)
        {
            throw new TarException($"the extended header's {Encoding.UTF8.GetString(key)} is not a number");
        }

        return number;
    }

    private static uint? Device(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Count(key, value) switch
    {
        null => null,
        <= uint.MaxValue and var number => (uint)number,
        _ => throw new TarException($"the extended header's {Encoding.UTF8.GetString(key)} is out of range"),
    };

    // Decimal seconds with any number of digits after the point, maybe negative: -1.25 is 1.25 s before 1970.
    private static (long, uint)? Time(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return null;
        }

        bool negative = value[0] == '-';
        ReadOnlySpan<byte> rest = negative ? value[1..] : value;
        int point = rest.IndexOf((byte)'.');
        ReadOnlySpan<byte> whole = point < 0 ? rest : rest[..point];
        ReadOnlySpan<byte> fraction = point < 0 ? default : rest[(point + 1)..];
        if (whole.IsEmpty || whole.ContainsAnyExceptInRange((byte)'0', (byte)'9') || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || !Utf8Parser.TryParse(whole, out long seconds, out _))
        {
            throw new TarException($"the extended header's {Encoding.UTF8.GetString(key)} is not a time");
        }

        uint nanoseconds = 0;
        for (int i = 0; i < 9; i++)
        {
            nanoseconds = (nanoseconds * 10) + (i < fraction.Length ? (uint)(fraction[i] - '0') : 0);
        }

        if (!negative)
        {
            return (seconds, nanoseconds);
        }

        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds);
    }
}

/// <summary>A run of stored bytes and where it belongs in the expanded file; what lies between runs reads as zeros.</summary>
internal readonly record struct SparseSegment(long Offset, long Length);
