using OciOstree.Linux;

namespace OciOstree.Registry.Transports;

/// <summary>Files of layouts and directories on disk.</summary>
internal static class PlainFile
{
    /// <summary>Opens a regular file.</summary>
    internal static FileSlice Open(string path, out long size)
    {
        try
        {
            var handle = File.OpenHandle(path, options: FileOptions.SequentialScan);
            size = RandomAccess.GetLength(handle);
            return new FileSlice(handle, 0, size, ownsHandle: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new RegistryException($"{path}: {WhyNotOpened(path, e)}");
        }
    }

    /// <summary>Why a file could not be opened, in few words: .NET's message of a directory is one about permissions.</summary>
    internal static string WhyNotOpened(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file",
        UnauthorizedAccessException => Directory.Exists(path) ? "is a directory" : "permission denied",
        _ => Printable.Clip(e.Message),
    };

    internal static bool HasSize(string path, long size)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length == size;
    }

    internal static void MakeDirectory(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RegistryException($"creating {path}: {e.Message}");
        }
    }

    /// <summary>Writes a small file whole: a reader sees the old or the new content.</summary>
    internal static void Replace(string path, ReadOnlySpan<byte> content)
    {
        using var spool = SpoolFile.Create(Path.GetDirectoryName(Path.GetFullPath(path))!, computeDigest: false);
        spool.Append(content);
        spool.NameAs(path);
    }

    /// <summary>The same for the file that makes an image visible: everything that it refers to is on disk before it.</summary>
    /// <param name="holding">The directories of what it refers to, whose files are flushed already.</param>
    internal static void Publish(string path, ReadOnlySpan<byte> content, params ReadOnlySpan<string> holding)
    {
        foreach (var place in holding)
        {
            SyncDirectory(place);
        }

        Replace(path, content);
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Makes a directory's names durable.</summary>
    internal static void SyncDirectory(string path)
    {
        using var directory = LinuxDirectory.Open(path);
        directory.Sync();
    }
}
