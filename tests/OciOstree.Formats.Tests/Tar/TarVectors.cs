using System.Text;
using OciOstree.Formats.Compression;
using OciOstree.Formats.Tar;

namespace OciOstree.Formats.Tests.Tar;

/// <summary>Archives that real programs wrote, and small helpers to look at them.</summary>
internal static class TarVectors
{
    internal static byte[] Load(string name)
    {
        using Stream stream = Decompressor.Open(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Tar", "vectors", name + ".tar.gz")));
        var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    internal static List<(TarEntry Entry, byte[] Content)> ReadAll(byte[] archive) => ReadAll(new MemoryStream(archive));

    internal static List<(TarEntry Entry, byte[] Content)> ReadAll(Stream archive)
    {
        var reader = new TarReader(archive);
        var entries = new List<(TarEntry, byte[])>();
        while (reader.Next() is { } entry)
        {
            var content = new MemoryStream();
            reader.Content.CopyTo(content);
            entries.Add((entry, content.ToArray()));
        }

        return entries;
    }

    internal static byte[] Bytes(string latin1) => Encoding.Latin1.GetBytes(latin1);

    internal static string Latin1(byte[] bytes) => Encoding.Latin1.GetString(bytes);

    internal static byte[] Write(Action<TarWriter> write)
    {
        var memory = new MemoryStream();
        var writer = new TarWriter(memory);
        write(writer);
        writer.Finish();
        return memory.ToArray();
    }

    /// <summary>A header block with a right checksum; fields are set by offset.</summary>
    internal static byte[] Header(char type, string size, params (int Offset, string Text)[] fields)
    {
        byte[] block = new byte[512];
        Bytes("name").CopyTo(block, 0);
        Bytes("0000644\0").CopyTo(block, 100);
        Bytes(size).CopyTo(block, 124);
        block[156] = (byte)type;
        Bytes("ustar\000").CopyTo(block, 257);
        foreach ((int offset, string text) in fields)
        {
            Bytes(text).CopyTo(block, offset);
        }

        block.AsSpan(148, 8).Fill((byte)' ');
        Bytes(Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0')).CopyTo(block, 148);
        return block;
    }

    /// <summary>Header, content, padding.</summary>
    internal static byte[] Member(char type, byte[] content, params (int Offset, string Text)[] fields)
        => [.. Header(type, Convert.ToString(content.Length, 8), fields), .. content, .. new byte[-content.Length & 511]];

    internal static byte[] Pax(string records, char type = 'x') => Member(type, Bytes(records));

    internal static byte[] Record(string key, string value)
    {
        for (int length = key.Length + value.Length + 3; ; length++)
        {
            string record = $"{length} {key}={value}\n";
            if (record.Length == length)
            {
                return Bytes(record);
            }
        }
    }

    internal static byte[] End => new byte[1024];
}
