using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>An SELinux policy that labels paths. Safe for use by many threads.</summary>
public sealed class SePolicy : IDisposable
{
    private readonly SePolicyFiles files;
    private readonly LabelSearch search;

    internal SePolicy(SePolicyFiles files, LabelSearch search)
    {
        (this.files, this.search) = (files, search);
        // An empty or broken file would leave the whole tree without labels.
        if (Label("/", ModeBits.Directory | 0x1ED) is null)
        {
            search.Dispose();
            throw new RepositoryException($"SELinux policy '{Name}' has no label for /");
        }
    }

    /// <inheritdoc cref="SePolicyFiles.Name"/>
    public string Name => files.Name;

    /// <inheritdoc cref="SePolicyFiles.Checksum"/>
    public Checksum Checksum => files.Checksum;

    /// <inheritdoc cref="SePolicyFiles.LabelsDigest"/>
    public Checksum LabelsDigest => files.LabelsDigest;

    /// <inheritdoc cref="SePolicyFiles.Find(LinuxDirectory)"/>
    public static SePolicy? Load(LinuxDirectory root) => SePolicyFiles.Find(root)?.Open();

    /// <inheritdoc cref="SePolicyFiles.Find(Repo, Checksum)"/>
    public static SePolicy? Load(Repo repo, Checksum commit) => SePolicyFiles.Find(repo, commit)?.Open();

    /// <summary>The label of a path that begins with a slash, for a file with this <c>st_mode</c>; null if the policy gives it none.</summary>
    /// <exception cref="RepositoryException">An expression of the policy that applies to the path is broken.</exception>
    public string? Label(string path, uint mode)
    {
        // Policies say <<none>> of what is in /proc, which the empty directory in a tree is not.
        if (path == "/proc")
            path = "/mnt";
        try
        {
            return search.Find(path, mode);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"SELinux policy '{Name}' cannot label {path}: {LinuxException.Explain(e.Errno)}");
        }
    }

    /// <summary>The label of a path, where what is in <c>/usr/etc</c> is labelled as the <c>/etc</c> that it becomes.</summary>
    /// <remarks>ostree calls this labelling epoch 1. In epoch 0, its default, <c>/usr/etc</c> is a path as any other, and <c>/etc</c> is labelled when it is deployed.</remarks>
    public string? LabelDefaultsAsEtc(string path, uint mode) =>
        Label(path == "/usr/etc" || path.StartsWith("/usr/etc/", StringComparison.Ordinal) ? path["/usr".Length..] : path, mode);

    public void Dispose() => search.Dispose();
}
