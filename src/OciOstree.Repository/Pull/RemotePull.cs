namespace OciOstree.Repository;

/// <summary>
/// Brings commits over from a remote: over HTTP from an archive, or from a repository on this machine. Everything is checked against its
/// checksum, becomes visible together, and what an interrupted pull had brought is not fetched again.
/// </summary>
public static class RemotePull
{
    /// <exception cref="RepositoryException">The remote is unknown, unreachable, not an archive, wants signatures, or an object is missing or damaged; this repository is then as it was.</exception>
    public static RemotePullStats Run(Repo destination, string remoteName, RemotePullOptions options, CancellationToken cancellation = default) =>
        Run(destination, Remote.Find(destination, remoteName), options, cancellation);

    /// <summary>As the other one, from a remote that need not be configured so.</summary>
    internal static RemotePullStats Run(Repo destination, Remote remote, RemotePullOptions options, CancellationToken cancellation)
    {
        using RemoteAccess access = Access(destination, remote, options, cancellation);
        return new RemotePullRun(destination, remote, access, options, cancellation).Go();
    }

    /// <summary>Opens the place that a remote's files are at.</summary>
    internal static RemoteAccess Access(Repo repo, Remote remote, RemotePullOptions options, CancellationToken cancellation)
    {
        if (remote.Get("unconfigured-state") is { } state)
            throw new RepositoryException($"remote unconfigured-state: {state}");
        if (remote.Get("custom-backend") is { } backend)
            throw new RepositoryException($"Cannot fetch via libostree - remote '{remote.Name}' uses custom backend '{backend}'");
        string? url = options.Url ?? remote.Get("url");
        if (url is not null && url.StartsWith("file://", StringComparison.Ordinal) && remote.Get("metalink") is null)
            return new RemoteDirectory(Repo.Open(Uri.UnescapeDataString(url["file://".Length..])));
        return new RemoteFetcher(repo, remote, url, options, cancellation);
    }

    /// <summary>Checks the signature of a summary as the remote wants it.</summary>
    internal static void VerifySummary(Repo repo, Remote remote, byte[]? summary, byte[]? signature)
    {
        try
        {
            RemoteSignatures.Of(repo, remote).VerifySummary(summary, signature);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Summary of remote \"{remote.Name}\"", e);
        }
    }
}
