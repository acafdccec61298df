using OciOstree.Formats;
using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>Content that is needed only if a later entry links to it: on disk, in a file without a name, made at the first use.</summary>
internal sealed class ContentSpool(LinuxDirectory directory) : IDisposable
{
    private TemporaryFile? file;
    private long end;

    /// <summary>Appends a stream and returns where it starts.</summary>
    internal long Add(Stream content)
    {
        file ??= directory.CreateTemporaryFile();
        var start = end;
        var buffer = new byte[64 << 10];
        for (int count; (count = content.Read(buffer)) > 0; end += count)
        {
            Files.WriteAt(file.Handle, buffer.AsSpan(0, count), end);
        }

        return start;
    }

    internal Stream Open(long start, long size) => new Slice(file!, start, size);

    public void Dispose() => file?.Dispose();

    private sealed class Slice(TemporaryFile file, long start, long size) : ForwardReadStream
    {
        private long at;

        public override int Read(Span<byte> buffer)
        {
            var wanted = (int)Math.Min(buffer.Length, size - at);
            var count = wanted == 0 ? 0 : Files.ReadAt(file.Handle, buffer[..wanted], start + at);
            at += count;
            return count;
        }
    }
}
