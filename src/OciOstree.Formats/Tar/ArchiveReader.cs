using OciOstree.Formats.Compression;

namespace OciOstree.Formats.Tar;

/// <summary>Reads an archive whose format its first bytes tell: cpio, or else tar.</summary>
public sealed class ArchiveReader
{
    private readonly TarReader? tar;
    private readonly CpioReader? cpio;

    /// <summary>Starts to read at the stream's current position. The stream is not closed.</summary>
    public ArchiveReader(Stream source)
    {
        var first = new byte[6];
        int have = source.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        var whole = new PrefixedStream(first, have, source, leaveOpen: true);
        if (CpioReader.IsMagic(first.AsSpan(0, have)))
            cpio = new CpioReader(whole);
        else
            tar = new TarReader(whole);
    }

    /// <summary>The content of the entry that <see cref="Next"/> returned last, valid until the next call.</summary>
    public Stream Content => tar?.Content ?? cpio!.Content;

    /// <summary>Goes to the next entry. Null at the end of the archive.</summary>
    /// <exception cref="TarException">The stream is no such archive, or is truncated.</exception>
    public TarEntry? Next() => tar is not null ? tar.Next() : cpio!.Next();
}
