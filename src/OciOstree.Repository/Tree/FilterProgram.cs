using System.ComponentModel;
using System.Diagnostics;
using OciOstree.Formats;
using OciOstree.Formats.Compression;

namespace OciOstree.Repository;

/// <summary>
/// Decompresses what only other programs know: bzip2 and its like are rare enough in archives to commit that each has its program run for it,
/// as libarchive does where it was built without a library.
/// </summary>
internal sealed class FilterProgram : ForwardReadStream
{
    private const int LongestMagic = 6, ErrorLimit = 4096;

    private readonly Process process;
    private readonly Thread feeder, listener;
    private readonly string name;
    private string complaint = "";
    private volatile Exception? feedFailure;
    private bool ended;

    private FilterProgram(string name, Stream source)
    {
        this.name = name;
        ProcessStartInfo start = new(name, ["-dc"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new RepositoryException($"the archive is compressed by {name}, which does not run here", e);
        }
        feeder = new Thread(() => Feed(source)) { IsBackground = true, Name = name + " input" };
        listener = new Thread(Listen) { IsBackground = true, Name = name + " errors" };
        feeder.Start();
        listener.Start();
    }

    /// <summary>Reads an archive decompressed, whatever it is compressed with. The source is left open.</summary>
    public static Stream Open(Stream source)
    {
        byte[] first = new byte[LongestMagic];
        int have = source.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        Stream whole = new PrefixedStream(first, have, source, leaveOpen: true);
        return ProgramFor(first.AsSpan(0, have)) is { } program ? new FilterProgram(program, whole) : Decompressor.Open(whole);
    }

    private static string? ProgramFor(ReadOnlySpan<byte> first) =>
        first.StartsWith("BZh"u8) ? "bzip2"
        : first.StartsWith((ReadOnlySpan<byte>)[0x04, 0x22, 0x4d, 0x18]) ? "lz4"
        : first.StartsWith("LZIP"u8) ? "lzip"
        : first.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'L', (byte)'Z', (byte)'O']) ? "lzop"
        : first.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x9d]) ? "gzip"
        : null;

    public override int Read(Span<byte> buffer)
    {
        int read = process.StandardOutput.BaseStream.Read(buffer);
        if (read == 0 && buffer.Length > 0 && !ended)
            Finish();
        return read;
    }

    // The program's verdict is part of the content: what it gave before it failed is not the whole.
    private void Finish()
    {
        ended = true;
        process.WaitForExit();
        listener.Join();
        feeder.Join();
        if (feedFailure is { } failure)
            throw new RepositoryException("Reading the compressed archive", failure);
        if (process.ExitCode != 0)
            throw new RepositoryException($"{name} failed: {(complaint.Length > 0 ? complaint : $"exit code {process.ExitCode}")}");
    }

    private void Feed(Stream source)
    {
        try
        {
            using Stream input = process.StandardInput.BaseStream;
            source.CopyTo(input, 128 << 10);
        }
        catch (IOException) when (process.HasExited || ended)
        {
            // It needed no more, or failed; its exit code says which.
        }
        catch (Exception e)
        {
            feedFailure = e;
        }
    }

    private void Listen()
    {
        char[] said = new char[ErrorLimit];
        int length = process.StandardError.ReadBlock(said);
        complaint = new string(said, 0, length).Trim().ReplaceLineEndings(" ");
        process.StandardError.BaseStream.CopyTo(Stream.Null);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (!ended)
            {
                ended = true;
                process.Kill();
                process.WaitForExit();
            }
            process.Dispose();
        }
        base.Dispose(disposing);
    }
}
