using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// <c>ostree-remote-image:NAME</c>: the commit inside an image is trusted as one that is pulled from that remote would be, by the signatures
/// in its detached metadata. They cover the commit and so everything that it holds, but no layer that a build has put on top.
/// </summary>
internal sealed class CommitTrust
{
    private readonly Repo repo;
    private readonly string remote;
    private readonly RemoteSignatures signatures;

    private CommitTrust(Repo repo, string remote)
    {
        (this.repo, this.remote) = (repo, remote);
        signatures = RemoteSignatures.Of(repo, Remote.Find(repo, remote));
        if (!signatures.CoverCommits)
        {
            throw new ContainerException($"remote '{remote}' verifies no commits: neither gpg-verify nor sign-verify is on");
        }
    }

    /// <summary>Null where the reference leaves commits unverified.</summary>
    /// <exception cref="RepositoryException">There is no such remote, or its keys cannot be read.</exception>
    public static CommitTrust? Of(Repo repo, SignatureSource source) => source.RemoteName is { } remote ? new CommitTrust(repo, remote) : null;

    /// <summary>For whoever runs an image with such layers.</summary>
    public string WarningOfDerived => $"remote '{remote}' vouches for the commit inside the image; nobody does for the layers on top of it";

    /// <summary>Passes if the commit, which is here already, is signed as the remote wants it.</summary>
    /// <returns>Who signed it, for people.</returns>
    /// <exception cref="ContainerException">It is not, or there is none.</exception>
    public string Verify(Checksum? commit)
    {
        if (commit is not { } checksum)
        {
            throw new ContainerException($"the image has no commit that remote '{remote}' could vouch for");
        }

        try
        {
            return $"Commit {checksum} is vouched for by remote '{remote}':\n" + signatures.DescribeCommit(repo.ReadMetadata(new ObjectName(checksum, ObjectType.Commit)).Span, repo.ReadCommitMeta(checksum));
        }
        catch (RepositoryException e)
        {
            throw new ContainerException($"Verifying commit {checksum} by remote '{remote}'", e);
        }
    }
}
