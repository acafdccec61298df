using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The SELinux labels of an image's content by one policy.</summary>
internal sealed class ContentLabels : IDisposable
{
    private readonly SePolicy policy;
    private readonly Func<string, uint, string?> label;

    /// <param name="defaultsAsEtc">Whether <c>/usr/etc</c> is labelled as the <c>/etc</c> that it becomes: labelling epoch 1.</param>
    internal ContentLabels(SePolicy policy, bool defaultsAsEtc)
    {
        this.policy = policy;
        label = defaultsAsEtc ? policy.LabelDefaultsAsEtc : policy.Label;
        DefaultsAsEtc = defaultsAsEtc;
        Id = $"{policy.LabelsDigest}:{(defaultsAsEtc ? 1 : 0)}";
    }

    internal bool DefaultsAsEtc { get; }

    internal Checksum PolicyDigest => policy.LabelsDigest;

    /// <summary>Equal for those that give every path the same label; noted in commits of layers.</summary>
    internal string Id { get; }

    /// <summary>The labels that a labelled commit's own policy gives; null if the commit has no policy, no labels, or nothing here could read them.</summary>
    internal static ContentLabels? OfLabelled(Repo repo, Checksum commit)
    {
        if (!IsLabelled(repo, commit))
        {
            return null;
        }

        SePolicy? policy = null;
        try
        {
            policy = SePolicy.Load(repo, commit);
            return policy is null ? null : new ContentLabels(policy, LabelsDefaultsAsEtc(repo, commit, policy));
        }
        catch (RepositoryException)
        {
            // It is the policy of the whole image that counts, and says what is wrong with it: layers may bring another.
            policy?.Dispose();
            return null;
        }
    }

    /// <summary>Whether a commit was labelled when it was made.</summary>
    internal static bool IsLabelled(Repo repo, Checksum commit) => repo.ReadDirMeta(repo.ReadCommit(commit).RootMeta).Xattrs.Label is not null;

    /// <summary>The label of a path that begins with a slash; null for none.</summary>
    internal string? Of(string path, uint mode) => label(path, mode);

    internal FileHeader Apply(string path, FileHeader header) => header with { Xattrs = header.Xattrs.WithLabel(Of(path, header.Mode)) };

    internal DirMeta Apply(string path, DirMeta meta) => meta with { Xattrs = meta.Xattrs.WithLabel(Of(path, meta.Mode)) };

    public void Dispose() => policy.Dispose();

    // A commit does not say by which rules it was labelled. The first of its defaults where that makes a difference tells.
    private static bool LabelsDefaultsAsEtc(Repo repo, Checksum commit, SePolicy policy)
    {
        if (MutableTree.FromCommit(repo, commit).Walk("usr/etc") is not { } etc)
        {
            return false;
        }

        if (Decide("/usr/etc", repo.ReadDirMeta(etc.Metadata!.Value) is var own ? own.Mode : 0, own.Xattrs) is { } said)
        {
            return said;
        }

        foreach (var (name, checksum) in etc.Files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            var header = repo.ReadFileHeader(checksum, out _);
            if (Decide($"/usr/etc/{name}", header.Mode, header.Xattrs) is { } decided)
            {
                return decided;
            }
        }

        return false;

        bool? Decide(string path, uint mode, XattrSet xattrs)
        {
            var (plain, asEtc) = (policy.Label(path, mode), policy.LabelDefaultsAsEtc(path, mode));
            return plain == asEtc ? null : xattrs.Label == asEtc ? true : xattrs.Label == plain ? false : null;
        }
    }
}
