using System.Security.Cryptography;
using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Where a transaction's objects wait for its commit: <c>tmp/staging-BOOTID-XXXXXX</c>, locked by a file beside it. What an interrupted
/// transaction of the same boot left is taken over with the objects in it; after another boot it may never have reached the disk and is deleted.
/// </summary>
internal sealed class StagingDirectory : IDisposable
{
    private const string Prefix = "staging-";

    // No object directory is called so: another transaction, ours or ostree's, that takes the rest over leaves it behind.
    private const string LastName = "last";

    private readonly LinuxDirectory temporary;
    private FileLock? held;

    private StagingDirectory(LinuxDirectory temporary, LinuxDirectory directory, LinuxDirectory last, string name, FileLock held) =>
        (this.temporary, Directory, Last, Name, this.held) = (temporary, directory, last, name, held);

    /// <summary>Holds what is worth something by itself: content, dirtrees, dirmetas.</summary>
    public LinuxDirectory Directory { get; }

    /// <summary>
    /// Holds what promises that other objects are there, commits and what belongs to them: it becomes visible last, and never if this
    /// transaction does not get that far.
    /// </summary>
    public LinuxDirectory Last { get; }

    public LinuxDirectory For(ObjectType type) => type is ObjectType.Commit or ObjectType.CommitMeta or ObjectType.TombstoneCommit ? Last : Directory;

    public string Name { get; }

    public static StagingDirectory Allocate(LinuxDirectory temporary)
    {
        string prefix = PrefixOfThisBoot();
        foreach (DirectoryEntry entry in temporary.ReadEntries())
            if (entry.Name.StartsWith(prefix, StringComparison.Ordinal) && entry.Type is FileType.Directory or FileType.Unknown && TryReuse(temporary, entry.Name) is { } reused)
            {
                // Young again, so that nobody takes it for a stray.
                temporary.SetModified(entry.Name, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
                return reused;
            }
        while (true)
        {
            string name = prefix + RandomSuffix();
            if (temporary.TryMakeDirectory(name, 0x1ED) && TryTake(temporary, name) is { } made)
                return made;
        }
    }

    private static StagingDirectory? TryReuse(LinuxDirectory temporary, string name)
    {
        try
        {
            return TryTake(temporary, name);
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM)
        {
            return null; // another user's, in a repository that several share
        }
    }

    private static StagingDirectory? TryTake(LinuxDirectory temporary, string name)
    {
        // The lock lies outside, so that it can be held until the directory is wholly gone.
        FileLock? taken = FileLock.TryAcquire(temporary, LockName(name), LockKind.Exclusive, removeOnRelease: true);
        if (taken is null)
            return null;
        LinuxDirectory? directory = null;
        try
        {
            if (temporary.TryStatus(name) is { Type: FileType.Directory })
            {
                directory = temporary.OpenDirectory(name);
                directory.RemoveTree(LastName);
                directory.MakeDirectory(LastName, 0x1ED);
                RemoveCommits(directory);
                return new StagingDirectory(temporary, directory, directory.OpenDirectory(LastName), name, taken);
            }
        }
        catch
        {
            directory?.Dispose();
            taken.Dispose();
            throw;
        }
        taken.Dispose(); // another process was done with it between our look and our lock
        return null;
    }

    // ostree stages commits among the rest. What an unfinished transaction wrote may lack half of what they name.
    private static void RemoveCommits(LinuxDirectory directory)
    {
        foreach (DirectoryEntry prefix in directory.ReadEntries())
        {
            if (prefix.Name.Length != 2 || prefix.Type != FileType.Directory)
                continue;
            using LinuxDirectory objects = directory.OpenDirectory(prefix.Name);
            foreach (DirectoryEntry entry in objects.ReadEntries())
                if (entry.Name.EndsWith(".commit", StringComparison.Ordinal) || RepoTransaction.IsReplaceable(entry.Name))
                    objects.TryUnlink(entry.Name);
        }
    }

    /// <summary>Deletes the directory; its lock goes last.</summary>
    public void Delete()
    {
        temporary.RemoveTree(Name);
        Dispose();
    }

    /// <summary>Lets go and leaves the directory for the next transaction of this boot.</summary>
    public void Dispose()
    {
        held?.Dispose();
        held = null;
        Last.Dispose();
        Directory.Dispose();
    }

    /// <summary>Removes what other boots' transactions and long dead programs left in <c>tmp/</c>.</summary>
    public static void CleanUp(LinuxDirectory temporary, TimeSpan expiry)
    {
        string ours = PrefixOfThisBoot();
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        foreach (DirectoryEntry entry in temporary.ReadEntries())
        {
            if (entry.Name == "cache" || temporary.TryStatus(entry.Name) is not { } status)
                continue;
            if (entry.Name.StartsWith(Prefix, StringComparison.Ordinal) && status.Type == FileType.Directory)
            {
                // This boot's are taken over, one by each transaction; of several killed at a time the rest would stay until the next boot.
                if (entry.Name.StartsWith(ours, StringComparison.Ordinal) && !IsOld(status))
                    continue;
                using FileLock? taken = FileLock.TryAcquire(temporary, LockName(entry.Name), LockKind.Exclusive, removeOnRelease: true);
                if (taken is not null)
                    temporary.RemoveTree(entry.Name);
            }
            else if (IsOld(status))
            {
                temporary.RemoveTree(entry.Name);
            }
        }

        bool IsOld(FileStatus status) => status.ModifiedSeconds <= now && now - status.ModifiedSeconds > expiry.TotalSeconds;
    }

    private static string LockName(string name) => name + "-lock";

    private static string PrefixOfThisBoot()
    {
        // ostree's tests pretend to reboot through this variable.
        string boot = Environment.GetEnvironmentVariable("OSTREE_BOOTID") ?? BootId.Current;
        return $"{Prefix}{boot}-";
    }

    private static string RandomSuffix()
    {
        StringBuilder suffix = new(6);
        for (int i = 0; i < 6; i++)
            suffix.Append("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[RandomNumberGenerator.GetInt32(62)]);
        return suffix.ToString();
    }
}
