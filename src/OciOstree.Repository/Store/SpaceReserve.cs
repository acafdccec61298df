using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>What a transaction may still write before it eats into <c>min-free-space</c>. Checked before content is written; metadata is let through.</summary>
internal sealed class SpaceReserve
{
    private long available = long.MaxValue;

    public SpaceReserve(Repo repo)
    {
        RepoSettings settings = repo.Settings;
        if (settings.MinFreeSpaceBytes == 0 && settings.MinFreeSpacePercent == 0)
            return;
        Volume volume = Volume.Of(repo.Root.Handle, repo.Path);
        // root may use the blocks that are kept back for it
        long free = Environment.IsPrivilegedProcess ? volume.Free : volume.Available;
        long reserved = settings.MinFreeSpaceBytes > 0
            ? (long)Math.Min(settings.MinFreeSpaceBytes, long.MaxValue)
            : (long)(volume.Size * (settings.MinFreeSpacePercent / 100.0));
        Configured = settings.MinFreeSpaceBytes > 0 ? $"min-free-space-size {settings.MinFreeSpaceBytes >> 20}MB" : $"min-free-space-percent '{settings.MinFreeSpacePercent}%'";
        available = Math.Max(0, free - reserved);
        Detail = $"{free >> 20} MB of {volume.Size >> 20} MB are free on the file system of '{repo.Path}', and core.{(settings.MinFreeSpaceBytes > 0 ? "min-free-space-size" : "min-free-space-percent")} keeps {reserved >> 20} MB";
    }

    private string Configured { get; } = "";

    // Where, how much and by which setting: ostree's users look at the wrong disk.
    private string Detail { get; } = "";

    /// <summary>Takes bytes, rounded up to blocks, off what is left.</summary>
    /// <exception cref="RepositoryException">There is not so much left.</exception>
    public long Take(long bytes)
    {
        if (available == long.MaxValue)
            return 0;
        long rounded = (Math.Min(bytes, long.MaxValue - 4096) / 4096 + 1) * 4096;
        // Never below what there is, not even for a moment: others who ask for little meanwhile must get it.
        for (long left = Interlocked.Read(ref available); left >= rounded;)
        {
            long seen = Interlocked.CompareExchange(ref available, left - rounded, left);
            if (seen == left)
                return rounded;
            left = seen;
        }
        throw new RepositoryException($"{Configured} would be exceeded, at least {rounded} bytes requested: {Detail}");
    }

    /// <summary>Gives back what was taken and not needed after all.</summary>
    public void Return(long taken)
    {
        if (taken != 0)
            Interlocked.Add(ref available, taken);
    }
}
