using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Finds repositories on media that somebody plugged in: below <c>.ostree/repos.d</c>, <c>.ostree/repo</c>, <c>ostree/repo</c> and
/// <c>var/lib/flatpak/repo</c> of each. Their commits are trusted by the keys of the remote that is configured with the collection.
/// </summary>
public sealed class MountedRemoteFinder : RemoteFinder
{
    private static readonly string[] MediaDirectories = ["/media/", "/run/media/", "/mnt/"];

    // The kernel's own, and those that other mounts are made of.
    private static readonly HashSet<string> SystemTypes =
    [
        "autofs", "cgroup", "cgroup2", "configfs", "debugfs", "devfs", "devpts", "devtmpfs", "ecryptfs", "fusectl", "gfs", "gfs2", "hugetlbfs", "lustre", "mqueue",
        "nfsd", "ocfs2", "overlay", "proc", "pstore", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tmpfs", "tracefs",
    ];

    public override string Name => "OstreeRepoFinderMount";

    internal override int Priority => 50;

    internal override IEnumerable<Remote> Find(Repo repo, IReadOnlyList<CollectionRef> refs)
    {
        IReadOnlyList<Remote> configured = Remote.All(repo);
        HashSet<(string Path, string Keys)> found = [];
        foreach (MountInfo mount in Mounts.ReadMountInfo())
        {
            if (SystemTypes.Contains(mount.Type) || !MediaDirectories.Any(directory => mount.MountPoint.StartsWith(directory, StringComparison.Ordinal)))
                continue;
            List<(string Path, HashSet<CollectionRef> Refs)> repositories = [.. Repositories(mount.MountPoint, repo)];
            foreach (CollectionRef wanted in refs)
            {
                // One a medium is enough: another would be read by the same wire.
                if (repositories.FirstOrDefault(candidate => candidate.Refs.Contains(wanted)) is not { Path: { } path }
                    || configured.FirstOrDefault(remote => remote.Get("collection-id") == wanted.CollectionId) is not { } keys || !found.Add((path, keys.Name)))
                    continue;
                yield return keys.With(elsewhere: true, ("url", "file://" + Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal)), ("gpg-verify", "true"), ("gpg-verify-summary", "false"));
            }
        }
    }

    private static IEnumerable<(string Path, HashSet<CollectionRef> Refs)> Repositories(string mountPoint, Repo own)
    {
        using LinuxDirectory? root = TryOpen(mountPoint);
        if (root is null)
            yield break;
        List<string> places = [];
        using (LinuxDirectory? links = TryOpen(Path.Combine(mountPoint, ".ostree/repos.d")))
            foreach (DirectoryEntry entry in links?.ReadEntries().OrderBy(entry => entry.Name, StringComparer.Ordinal) ?? Enumerable.Empty<DirectoryEntry>())
                places.Add(".ostree/repos.d/" + entry.Name);
        foreach (string place in (IEnumerable<string>)[.. places, ".ostree/repo", "ostree/repo", "var/lib/flatpak/repo"])
            if (TryList(root, Path.Combine(mountPoint, place), own) is { } refs)
                yield return refs;
    }

    // What is no repository, or damaged, or a link that leads off the medium, is as if it were not there.
    private static (string Path, HashSet<CollectionRef> Refs)? TryList(LinuxDirectory root, string path, Repo own)
    {
        try
        {
            if (!Directory.Exists(path))
                return null;
            string target = new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
            using Repo repo = Repo.Open(target);
            FileStatus status = repo.Root.Status(), ours = own.Root.Status();
            if (status.Device != root.Status().Device || (status.Device, status.Inode) == (ours.Device, ours.Inode))
                return null;
            return (target, [.. repo.ListCollectionRefs(options: RefListing.ExcludeRemotes).Keys]);
        }
        catch (Exception e) when (e is RepositoryException or IOException or FormatException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static LinuxDirectory? TryOpen(string path)
    {
        try
        {
            return LinuxDirectory.TryOpen(path);
        }
        catch (LinuxException)
        {
            return null; // not ours to read
        }
    }
}
