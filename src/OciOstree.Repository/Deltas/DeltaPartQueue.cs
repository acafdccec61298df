using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The parts of a delta that is being made: one is put together while the one before it is compressed on another thread.</summary>
internal sealed class DeltaPartQueue : IDisposable
{
    private readonly LinuxDirectory directory;
    private readonly Action<string> report;
    private readonly List<TemporaryFile> files = [];
    private readonly List<DeltaPartHeader> headers = [];
    private Thread? compressing;
    private Exception? failure;

    public DeltaPartQueue(LinuxDirectory directory, Action<string> report)
    {
        (this.directory, this.report) = (directory, report);
        Current = new DeltaPartWriter(directory.CreateTemporaryFile());
    }

    /// <summary>The part that objects are added to.</summary>
    public DeltaPartWriter Current { get; private set; }

    /// <summary>Of all parts, once they are complete.</summary>
    public IReadOnlyList<DeltaPartHeader> Headers => headers;

    /// <summary>Goes on to another part.</summary>
    public void Next()
    {
        Wait();
        DeltaPartWriter part = Current;
        Current = new DeltaPartWriter(directory.CreateTemporaryFile());
        compressing = new Thread(() => Compress(part)) { IsBackground = true, Name = "delta part" };
        compressing.Start();
    }

    /// <summary>Ends the last part; there is always one.</summary>
    public void Complete()
    {
        Wait();
        Compress(Current);
        Wait();
    }

    private void Compress(DeltaPartWriter part)
    {
        TemporaryFile? target = null;
        try
        {
            target = directory.CreateTemporaryFile(0x1A4);
            DeltaPartHeader header = part.Finish(target);
            files.Add(target);
            headers.Add(header);
            report($"part {headers.Count} n:{header.Objects.Count} compressed:{header.Size} uncompressed:{header.UncompressedSize}");
        }
        catch (Exception e)
        {
            target?.Dispose();
            failure = e;
        }
        finally
        {
            part.Dispose();
        }
    }

    private void Wait()
    {
        compressing?.Join();
        compressing = null;
        if (failure is { } e)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
    }

    /// <summary>Writes a part's file, and some bytes after it.</summary>
    public void CopyTo(int index, Stream target, ReadOnlySpan<byte> after)
    {
        new HandleStream(files[index].Handle, 0).CopyTo(target, 128 << 10);
        target.Write(after);
    }

    /// <summary>Gives a part's file its name.</summary>
    /// <param name="sync">Flushes it first: the superblock must not be there without its parts.</param>
    public void Publish(int index, bool sync)
    {
        if (sync)
            Files.Sync(files[index].Handle);
        files[index].ReplaceAs(directory, index.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        compressing?.Join();
        Current.Dispose();
        foreach (TemporaryFile file in files)
            file.Dispose();
    }
}
