using System.Globalization;

namespace OciOstree.Linux;

/// <summary>One line of <c>/proc/self/mountinfo</c>, its <c>\040</c> escapes undone.</summary>
public sealed record MountInfo(
    ulong Id,
    ulong ParentId,
    uint DeviceMajor,
    uint DeviceMinor,
    string Root,
    string MountPoint,
    IReadOnlyList<string> Options,
    IReadOnlyList<string> OptionalFields,
    string Type,
    string Source,
    IReadOnlyList<string> SuperOptions)
{
    /// <summary>Read-only here, be the file system itself writable or not.</summary>
    public bool IsReadOnly => Options.Contains("ro") || SuperOptions.Contains("ro");

    /// <summary>Null if the line is not of the form that proc(5) describes.</summary>
    internal static MountInfo? TryParse(ReadOnlySpan<byte> line)
    {
        string[] fields = FileName.FromBytes(line).Split(' ');
        int dash = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
        if (dash < 6 || fields.Length < dash + 4)
            return null;
        string[] device = fields[2].Split(':');
        if (device.Length != 2
            || !ulong.TryParse(fields[0], CultureInfo.InvariantCulture, out ulong id)
            || !ulong.TryParse(fields[1], CultureInfo.InvariantCulture, out ulong parent)
            || !uint.TryParse(device[0], CultureInfo.InvariantCulture, out uint major)
            || !uint.TryParse(device[1], CultureInfo.InvariantCulture, out uint minor))
            return null;
        return new MountInfo(id, parent, major, minor, Unescape(fields[3]), Unescape(fields[4]), fields[5].Split(','),
            fields[6..dash], Unescape(fields[dash + 1]), Unescape(fields[dash + 2]), fields[dash + 3].Split(','));
    }

    private static string Unescape(string field)
    {
        if (!field.Contains('\\'))
            return field;
        byte[] bytes = FileName.ToBytes(field);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\' && i + 3 < bytes.Length && IsOctal(bytes[i + 1]) && IsOctal(bytes[i + 2]) && IsOctal(bytes[i + 3]))
            {
                bytes[length++] = (byte)(((bytes[i + 1] - '0') << 6) | ((bytes[i + 2] - '0') << 3) | (bytes[i + 3] - '0'));
                i += 3;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }
        return FileName.FromBytes(bytes.AsSpan(0, length));

        static bool IsOctal(byte b) => b is >= (byte)'0' and <= (byte)'7';
    }
}
