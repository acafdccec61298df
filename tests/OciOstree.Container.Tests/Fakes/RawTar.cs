using System.Text;

namespace OciOstree.Container.Tests;

/// <summary>An archive header by header, in forms that our own writer does not write.</summary>
internal sealed class RawTar
{
    private readonly MemoryStream bytes = new();

    public static RawTar New => new();

    /// <summary>A member whose name and link are cut to the header's fields.</summary>
    /// <param name="fields">What to write over the header, by offset, in Latin-1.</param>
    public RawTar Add(char type, string name, string content = "", string link = "", params (int Offset, string Text)[] fields) =>
        Add(type, name, Encoding.UTF8.GetBytes(content), link, fields);

    public RawTar Add(char type, string name, byte[] content, string link = "", params (int Offset, string Text)[] fields)
    {
        var header = new byte[512];
        Put(header, 0, 100, Encoding.UTF8.GetBytes(name));
        Put(header, 100, 8, type == '5' ? "0000755\0"u8 : "0000644\0"u8);
        Put(header, 108, 16, "0000000\00000000\0"u8);
        Put(header, 124, 12, Encoding.ASCII.GetBytes(Convert.ToString(content.Length, 8).PadLeft(11, '0')));
        Put(header, 136, 12, "00000000001"u8);
        header[156] = (byte)type;
        Put(header, 157, 100, Encoding.UTF8.GetBytes(link));
        Put(header, 257, 8, "ustar\000"u8);
        foreach (var (offset, text) in fields)
        {
            Put(header, offset, 512, Encoding.Latin1.GetBytes(text));
        }

        header.AsSpan(148, 8).Fill((byte)' ');
        Put(header, 148, 8, Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(value => value), 8).PadLeft(6, '0') + "\0"));
        bytes.Write(header);
        return Block(content);
    }

    /// <summary>Bytes as they are, up to whole blocks.</summary>
    public RawTar Block(byte[] content)
    {
        bytes.Write(content);
        bytes.Write(new byte[-content.Length & 511]);
        return this;
    }

    /// <summary>Extended headers for the next member.</summary>
    public RawTar Pax(params (string Key, string Value)[] records) => Extended('x', records);

    public RawTar Extended(char type, params (string Key, string Value)[] records)
    {
        using var all = new MemoryStream();
        foreach (var (key, value) in records)
        {
            var rest = Encoding.Latin1.GetBytes($" {key}={value}\n");
            var length = rest.Length + 1;
            while (length != rest.Length + length.ToString().Length)
            {
                length++;
            }

            all.Write(Encoding.ASCII.GetBytes(length.ToString()));
            all.Write(rest);
        }

        return Add(type, "pax", all.ToArray());
    }

    /// <summary>GNU's way for a name (<c>L</c>) or a link (<c>K</c>) of any length.</summary>
    public RawTar Long(char type, string name) => Add(type, "././@LongLink", name + "\0", "", (257, "ustar  \0"));

    public byte[] End() => [.. bytes.ToArray(), .. new byte[1024]];

    public byte[] Unfinished() => bytes.ToArray();

    private static void Put(byte[] header, int offset, int room, ReadOnlySpan<byte> text) => text[..Math.Min(room, text.Length)].CopyTo(header.AsSpan(offset));
}
