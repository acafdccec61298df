using System.Text;
using OciOstree.Formats.Tar;

namespace OciOstree.Container;

/// <summary>
/// Puts other detached metadata behind the commit object in the tar stream of an ostree layer. Everything else is passed on as it is, bytes and all.
/// </summary>
internal static class DetachedMetadataLayer
{
    private const int Block = 512;
    private const int MaxHeader = 1 << 20;

    /// <param name="metadata">Null leaves none.</param>
    /// <exception cref="ContainerException">The stream has no commit object.</exception>
    internal static void Rewrite(Stream source, Stream destination, byte[]? metadata)
    {
        while (true)
        {
            var entry = Entry.Read(source) ?? throw new ContainerException("the layer has no commit object");
            if (!entry.IsFile || !entry.Name.EndsWith(".commit", StringComparison.Ordinal))
            {
                entry.Copy(source, destination);
                continue;
            }

            entry.Copy(source, destination);
            var name = entry.Name + "meta";
            if (metadata is not null)
            {
                destination.Write(EntryOf(name, metadata));
            }

            if (Entry.Read(source) is { } next)
            {
                next.Copy(source, next.Name == name ? Stream.Null : destination);
                source.CopyTo(destination);
            }
            else
            {
                destination.Write(new byte[2 * Block]);
            }

            return;
        }
    }

    private static ReadOnlySpan<byte> EntryOf(string name, byte[] content)
    {
        using var bytes = new MemoryStream();
        var tar = new TarWriter(bytes);
        tar.Write(new TarEntry { Name = Encoding.UTF8.GetBytes(name), Mode = 0x1a4, Size = content.Length }, content);
        var length = (int)tar.Length;

        // What ends an archive is left away again.
        tar.Finish();
        return bytes.GetBuffer().AsSpan(0, length);
    }

    /// <summary>An entry's headers, those of long names included, and how much content follows.</summary>
    private sealed record Entry(byte[] Headers, string Name, bool IsFile, long Size)
    {
        /// <summary>Null at the end of the archive.</summary>
        internal static Entry? Read(Stream source)
        {
            using var headers = new MemoryStream();
            string? longName = null;
            while (true)
            {
                var header = new byte[Block];
                if (source.ReadAtLeast(header, Block, throwOnEndOfStream: false) < Block || header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
                {
                    return null;
                }

                headers.Write(header);
                var (type, size) = ((char)header[156], Number(header.AsSpan(124, 12)));
                if (type is not ('L' or 'K' or 'x' or 'g'))
                {
                    return new Entry(headers.ToArray(), Clean(longName ?? NameOf(header)), type is '0' or '\0', type is '0' or '\0' or '7' ? size : 0);
                }

                if (size > MaxHeader)
                {
                    throw new ContainerException($"a header of the layer claims {size} bytes");
                }

                var content = new byte[Padded(size)];
                source.ReadExactly(content);
                headers.Write(content);
                longName = type switch
                {
                    'L' => Text(content.AsSpan(0, (int)size)),
                    'x' => PaxPath(content.AsSpan(0, (int)size)) ?? longName,
                    _ => longName,
                };
            }
        }

        internal void Copy(Stream source, Stream destination)
        {
            destination.Write(Headers);
            var buffer = new byte[64 << 10];
            for (var left = Padded(Size); left > 0;)
            {
                var count = (int)Math.Min(left, buffer.Length);
                source.ReadExactly(buffer, 0, count);
                destination.Write(buffer, 0, count);
                left -= count;
            }
        }

        private static string NameOf(ReadOnlySpan<byte> header)
        {
            var name = Text(header[..100]);
            return header[257..].StartsWith("ustar\0"u8) && header[345] != 0 ? $"{Text(header.Slice(345, 155))}/{name}" : name;
        }

        private static string Clean(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;

        private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes.IndexOf((byte)0) is >= 0 and var end ? bytes[..end] : bytes);

        // "LENGTH path=VALUE\n"
        private static string? PaxPath(ReadOnlySpan<byte> records)
        {
            var text = Encoding.UTF8.GetString(records);
            var at = text.IndexOf(" path=", StringComparison.Ordinal);
            return at >= 0 && text.IndexOf('\n', at) is > 0 and var end ? text[(at + 6)..end] : null;
        }

        private static long Number(ReadOnlySpan<byte> field)
        {
            long value = 0;
            foreach (var digit in field)
            {
                if (digit is < (byte)'0' or > (byte)'7')
                {
                    return digit is 0 or (byte)' ' ? value : throw new ContainerException("a header of the layer has a size that is no number");
                }

                value = (value << 3) | (uint)(digit - '0');
            }

            return value;
        }

        private static long Padded(long size) => (size + Block - 1) / Block * Block;
    }
}
