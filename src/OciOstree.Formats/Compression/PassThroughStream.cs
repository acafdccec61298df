namespace OciOstree.Formats.Compression;

/// <summary>No compression: the bytes as they are. Disposing leaves the destination open, as with the other kinds.</summary>
internal sealed class PassThroughStream(Stream destination) : CompressingStream
{
    public override void Write(ReadOnlySpan<byte> buffer) => destination.Write(buffer);

    public override void Flush() => destination.Flush();
}
