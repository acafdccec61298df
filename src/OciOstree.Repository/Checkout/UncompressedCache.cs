using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Uncompressed copies of an archive's files in the repository, <c>uncompressed-objects-cache/AB/CDEF….file</c>, which users' checkouts are hard links to.
/// New ones wait in a directory of their own until one flush for all of them: the cache is believed without looking, also after a power cut.
/// </summary>
internal sealed class UncompressedCache : IDisposable
{
    private const string Name = "uncompressed-objects-cache";

    private readonly Repo repo;
    private readonly LinuxDirectory directory;
    private readonly string stagingName = $"tmp/{Name}-{Guid.NewGuid():N}";
    private readonly Lock gate = new();
    private LinuxDirectory? staging;

    private UncompressedCache(Repo repo, LinuxDirectory directory) => (this.repo, this.directory) = (repo, directory);

    /// <summary>Null where there is none: the repository is no archive, has it turned off, or may not be written to.</summary>
    public static UncompressedCache? TryOpen(Repo repo)
    {
        if (repo.Mode != RepoMode.Archive || repo.Config.GetBoolean("core", "enable-uncompressed-cache") == false)
            return null;
        try
        {
            repo.Root.TryMakeDirectory(Name, repo.DirectoryMode);
            return new UncompressedCache(repo, repo.Root.OpenDirectory(Name));
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM or Errno.EROFS)
        {
            return null;
        }
    }

    /// <summary>Where a copy of an object is, made if there is none.</summary>
    public (LinuxDirectory Directory, string Path, FileStatus Status) Get(Checksum checksum, RepoFile file)
    {
        string path = LoosePath.Of(checksum, ObjectType.File, RepoMode.Bare);
        if (directory.TryStatus(path) is { } kept)
            return (directory, path, kept);
        LinuxDirectory stage = Staging();
        string name = checksum.ToString();
        if (stage.TryStatus(name) is not { } added)
        {
            using TemporaryFile copy = stage.CreateTemporaryFile();
            using (Stream output = Files.AsStream(copy.Handle, leaveOpen: true))
                file.Content.CopyTo(output, 64 << 10);
            // Set-id bits are not for users' files.
            Files.SetMode(copy.Handle, file.Header.Mode & 0x3FF);
            copy.TryLinkAs(stage, name);
            added = stage.Status(name);
        }
        return (stage, name, added);
    }

    /// <summary>Adds what was made to the cache.</summary>
    public void Finish()
    {
        if (staging == null)
            return;
        if (repo.Settings.Fsync)
            staging.SyncFileSystem();
        foreach (DirectoryEntry entry in staging.ReadEntries())
        {
            string path = LoosePath.Of(Checksum.Parse(entry.Name), ObjectType.File, RepoMode.Bare);
            directory.TryMakeDirectory(path[..2], repo.DirectoryMode);
            if (!staging.TryRenameNoReplace(entry.Name, directory, path))
                staging.Unlink(entry.Name);
        }
    }

    public void Dispose()
    {
        directory.Dispose();
        if (staging == null)
            return;
        staging.Dispose();
        repo.Root.RemoveTree(stagingName);
    }

    private LinuxDirectory Staging()
    {
        lock (gate)
        {
            if (staging == null)
            {
                repo.Root.MakeDirectory(stagingName, 0x1C0);
                staging = repo.Root.OpenDirectory(stagingName);
            }
            return staging;
        }
    }
}
