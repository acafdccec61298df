using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// A medium that carries refs of collections to machines without a network: an archive, which needs nothing of the file system, with the refs
/// as mirrored ones and a summary, where a <see cref="MountedRemoteFinder"/> looks for it.
/// </summary>
public static class OfflineMedium
{
    /// <summary>Where the repository is unless told otherwise.</summary>
    public const string DefaultPlace = ".ostree/repo";

    private const string Links = ".ostree/repos.d";
    private const int MaxLinks = 100;

    /// <summary>Opens the repository on a medium, or makes it.</summary>
    /// <param name="place">Its path below the medium's root.</param>
    public static Repo Open(string root, string place)
    {
        using LinuxDirectory medium = LinuxDirectory.Open(root);
        medium.MakePath(place, 0x1ED);
        return Repo.Create(Path.Combine(root, place), RepoMode.Archive);
    }

    /// <summary>Copies refs, each with the commit that it points at or another that is given, updates the summary and makes the repository findable.</summary>
    /// <exception cref="RepositoryException">A ref or an object is missing in the source, or a commit is bound to something else.</exception>
    public static void Write(Repo source, Repo medium, string root, string place, IReadOnlyList<KeyValuePair<CollectionRef, Checksum?>> refs, Action<int, int, long> progress, CancellationToken cancellation = default)
    {
        List<PullTarget> targets = [];
        foreach ((CollectionRef wanted, Checksum? commit) in refs)
            targets.Add(new PullTarget(commit ?? Resolve(source, wanted), wanted.CollectionId, wanted.Name));
        using (RepoLock.Holder hold = source.Locking.Take(RepoLockKind.Shared, cancellation))
        using (RepoTransaction transaction = medium.BeginTransaction())
        {
            LocalPull.Bring(transaction, source, targets, new LocalPullOptions { Progress = (done, total) => progress(done, total, 0) },
                new CommitChecks(medium, source.Settings.CollectionId, ignoreBindings: false), cancellation);
            foreach (PullTarget target in targets)
                transaction.SetCollectionRef(new CollectionRef(target.Collection!, target.Ref!), target.Commit);
            transaction.Commit();
        }
        RepoSummary.Regenerate(medium);
        if (place.Trim('/') is not ("ostree/repo" or DefaultPlace))
            Link(medium, root, place);
    }

    private static Checksum Resolve(Repo source, CollectionRef wanted) => source.ListCollectionRefs(wanted.CollectionId).TryGetValue(wanted, out Checksum commit)
        ? commit : throw new RepositoryException($"Collection–ref ({wanted.CollectionId}, {wanted.Name}) not found");

    private static void Link(Repo medium, string root, string place)
    {
        using LinuxDirectory top = LinuxDirectory.Open(root);
        top.MakePath(Links, 0x1ED);
        using LinuxDirectory links = top.OpenDirectory(Links, followLinks: true);
        FileStatus own = medium.Root.Status();
        foreach (DirectoryEntry entry in links.ReadEntries())
            if (links.TryStatus(entry.Name, followLinks: true) is { } status && (status.Device, status.Inode) == (own.Device, own.Inode))
                return;
        for (int i = 0; i < MaxLinks; i++)
        {
            string name = $"{i:00}-generated";
            if (links.TryStatus(name) is not null)
                continue;
            links.MakeSymbolicLink($"../../{place.Trim('/')}", name);
            return;
        }
        throw new RepositoryException("Could not find an unused symlink name for the repository");
    }
}
