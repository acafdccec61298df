using OciOstree.Linux;

namespace OciOstree.Registry;

/// <summary>The first bytes of a blob in a file of its own. Used by one thread.</summary>
internal sealed class PartialBlob(FileLock held, Action remove) : IDisposable
{
    private bool discarded;

    internal long Length { get; private set; } = Files.Status(held.Handle).Size;

    internal int Read(Span<byte> buffer, long position) => Files.ReadAt(held.Handle, buffer[..(int)Math.Min(buffer.Length, Length - position)], position);

    /// <summary>Adds what came. A disk that has no room for it costs nothing but the chance to resume.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        if (discarded)
        {
            return;
        }

        try
        {
            Files.WriteAt(held.Handle, bytes, Length);
            Length += bytes.Length;
        }
        catch (LinuxException)
        {
            Discard();
        }
    }

    /// <summary>It is not the blob's beginning, or in the way.</summary>
    internal void Discard()
    {
        discarded = true;
        remove();
    }

    public void Dispose() => held.Dispose();
}
