using OciOstree.Linux;

namespace OciOstree.Registry;

/// <summary>
/// What has come of blobs on their way from a registry, in a directory: whoever is interrupted asks for the rest only. Without a name that another tries to use at
/// once (each is locked), and without a promise: the next boot does not trust what may never have reached the disk, and begins anew.
/// </summary>
/// <remarks>Nothing is forgotten by itself: the caller removes what it has put to use. Safe for use by many threads.</remarks>
public sealed class PartialBlobs : IDisposable
{
    private const string Prefix = "partial-blob-";

    // A blob expands where it is kept. Where that is not sure to fit, the room is not spent on its compressed form.
    private const int RoomFactor = 4;

    private readonly LinuxDirectory directory;

    /// <param name="directory">Where they are; its owner removes strays there by age.</param>
    public PartialBlobs(LinuxDirectory directory) => this.directory = directory.Duplicate();

    /// <summary>Removes what was kept of a blob.</summary>
    public void Remove(Digest digest) => directory.TryUnlink(NameOf(digest));

    /// <summary>Removes everything that nobody is fetching right now.</summary>
    public void Clear() => Clear(static _ => true);

    /// <summary>Removes what another boot left.</summary>
    public void ClearOfOtherBoots() => Clear(static name => !name.StartsWith(PrefixOfThisBoot(), StringComparison.Ordinal));

    public void Dispose() => directory.Dispose();

    /// <summary>What there is of a blob, to be read and continued; null if it cannot be kept here now.</summary>
    internal PartialBlob? TryOpen(Descriptor blob)
    {
        try
        {
            if (FileLock.TryAcquire(directory, NameOf(blob.Digest), LockKind.Exclusive) is not { } held)
            {
                return null;
            }

            var opened = new PartialBlob(held, () => Remove(blob.Digest));
            if (opened.Length > blob.Size || Volume.Of(held.Handle).Available / RoomFactor < blob.Size - opened.Length)
            {
                opened.Discard();
                opened.Dispose();
                return null;
            }

            return opened;
        }
        catch (LinuxException)
        {
            // A repository that cannot be written to says so where it matters.
            return null;
        }
    }

    private void Clear(Func<string, bool> which)
    {
        foreach (var entry in directory.ReadEntries())
        {
            if (entry.Name.StartsWith(Prefix, StringComparison.Ordinal) && which(entry.Name))
            {
                using var held = FileLock.TryAcquire(directory, entry.Name, LockKind.Exclusive, removeOnRelease: true);
            }
        }
    }

    private static string PrefixOfThisBoot() => $"{Prefix}{BootId.Current}-";

    private static string NameOf(Digest digest) => $"{PrefixOfThisBoot()}{digest.Algorithm}-{digest.Hex}";
}
