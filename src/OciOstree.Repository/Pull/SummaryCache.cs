using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Summaries of remotes and their signatures from earlier pulls, in <c>tmp/cache/summaries/NAME{,.sig}</c>: the file's time is what the server
/// said it was last modified, the entity tag is in <c>user.etag</c>.
/// </summary>
internal sealed class SummaryCache(Repo repo, Remote remote, string? directory)
{
    private const string ETagKey = "user.etag", Signature = ".sig", Folder = "summaries";
    private const int MaxETag = 1024;

    // As in libostree: how its tests keep servers from answering "not modified".
    private readonly string? name = Environment.GetEnvironmentVariable("OSTREE_SKIP_CACHE") is null || directory is not null ? remote.CacheName : null;

    public RemoteFileStamp? SummaryStamp => Stamp("");

    public RemoteFileStamp? SignatureStamp => Stamp(Signature);

    public byte[]? Summary => Read("");

    public byte[]? SummarySignature => Read(Signature);

    /// <summary>Replaces both. Whoever may not write here goes without.</summary>
    public void Store(byte[] summary, RemoteFileStamp stamp, byte[] signature, RemoteFileStamp signatureStamp)
    {
        if (name is null)
            return;
        try
        {
            using LinuxDirectory folder = Make();
            Write(folder, name, summary, stamp);
            Write(folder, name + Signature, signature, signatureStamp);
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM or Errno.EROFS)
        {
            return;
        }
    }

    /// <summary>Removes the summaries of remotes that the repository has no longer.</summary>
    public static void Prune(Repo repo)
    {
        using LinuxDirectory? folder = repo.Root.TryOpenDirectory("tmp/cache/" + Folder, followLinks: true);
        if (folder is null)
            return;
        HashSet<string> remotes = [.. Remote.All(repo).Select(remote => remote.Name)];
        foreach (DirectoryEntry entry in folder.ReadEntries())
            if (!remotes.Contains(entry.Name) && !(entry.Name.EndsWith(Signature, StringComparison.Ordinal) && remotes.Contains(entry.Name[..^Signature.Length])))
                folder.TryUnlink(entry.Name);
    }

    private RemoteFileStamp? Stamp(string suffix)
    {
        using LinuxDirectory? folder = TryOpen();
        using SafeFileHandle? file = folder?.TryOpenFile(name + suffix);
        if (file is null)
            return null;
        byte[]? tag = Xattrs.Get(file, ETagKey);
        string? etag = tag is { Length: > 0 and <= MaxETag } && !tag.AsSpan().ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) ? System.Text.Encoding.ASCII.GetString(tag) : null;
        return new RemoteFileStamp(etag, Files.Status(file).ModifiedSeconds);
    }

    private byte[]? Read(string suffix)
    {
        using LinuxDirectory? folder = TryOpen();
        return folder?.TryReadAllBytes(name + suffix, Repo.MaxMetadataSize);
    }

    private LinuxDirectory? TryOpen()
    {
        if (name is null)
            return null;
        if (directory is not null)
            return LinuxDirectory.TryOpen(Path.Combine(directory, Folder));
        return repo.Root.TryOpenDirectory("tmp/cache/" + Folder, followLinks: true);
    }

    private LinuxDirectory Make()
    {
        if (directory is not null)
            return LinuxDirectory.Open(Directory.CreateDirectory(Path.Combine(directory, Folder)).FullName);
        repo.Root.MakePath("tmp/cache/" + Folder, 0x1ED);
        return repo.Root.OpenDirectory("tmp/cache/" + Folder, followLinks: true);
    }

    private void Write(LinuxDirectory folder, string file, byte[] bytes, RemoteFileStamp stamp)
    {
        folder.ReplaceFile(file, bytes, 0x1A4, repo.Settings.Fsync);
        Mark(folder, file, stamp);
    }

    /// <summary>Notes what a server said about the version of a file.</summary>
    internal static void Mark(LinuxDirectory folder, string file, RemoteFileStamp stamp)
    {
        // A file system without xattrs only costs a download.
        if (stamp.ETag is { } tag)
            Xattrs.TrySet(folder, file, System.Text.Encoding.UTF8.GetBytes(ETagKey), System.Text.Encoding.ASCII.GetBytes(tag), out _);
        if (stamp.LastModified > 0)
            folder.SetModified(file, stamp.LastModified);
    }
}
