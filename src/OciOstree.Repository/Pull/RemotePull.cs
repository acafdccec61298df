namespace OciOstree.Repository;

/// <summary>
/// Brings commits over from a remote: over HTTP from an archive, or from a repository on this machine. Everything is checked against its
/// checksum, becomes visible together, and what an interrupted pull had brought is not fetched again.
/// </summary>
public static class RemotePull
{
    /// <exception cref="RepositoryException">The remote is unknown, unreachable, not an archive, wants signatures, or an object is missing or damaged; this repository is then as it was.</exception>
    public static RemotePullStats Run(Repo destination, string remoteName, RemotePullOptions options, CancellationToken cancellation = default)
    {
        Remote remote = Remote.Find(destination, remoteName);
        if (remote.Get("unconfigured-state") is { } state)
            throw new RepositoryException($"remote unconfigured-state: {state}");
        string url = options.Url ?? remote.Get("url") ?? throw new RepositoryException($"No \"url\" option in remote \"{remoteName}\"");
        // What is configured to be verified must not come in unverified.
        if (remote.WantsOtherSignatures)
            throw new RepositoryException($"Remote \"{remoteName}\" wants signatures verified that are not OpenPGP's, which this program cannot do (sign-verify=false turns it off)");
        if (url.StartsWith("file://", StringComparison.Ordinal))
            return FromThisMachine(destination, remote, Uri.UnescapeDataString(url["file://".Length..]), options, cancellation);
        using RemoteFetcher fetcher = new(remote, url, options, cancellation);
        return new RemotePullRun(destination, remote, fetcher, options, cancellation).Go();
    }

    private static RemotePullStats FromThisMachine(Repo destination, Remote remote, string path, RemotePullOptions options, CancellationToken cancellation)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        using Repo source = Repo.Open(path);
        TransactionStats stats = LocalPull.Run(source, destination, new LocalPullOptions
        {
            Refs = options.Refs ?? (options.Mirror ? null : ConfiguredBranches(remote)),
            Remote = options.Mirror ? null : remote.Name,
            Depth = options.Depth,
            CommitsOnly = options.CommitsOnly,
            Subpaths = options.Subpaths,
            BareUserOnlyFiles = options.BareUserOnlyFiles,
            IgnoreBindings = options.IgnoreBindings,
            VerifyCommit = remote.VerifiesCommits ? (checksum, bytes, metadata) => VerifyCommit(destination, remote, checksum, bytes, metadata) : null,
        }, cancellation);
        return new RemotePullStats((int)stats.MetadataWritten, (int)stats.ContentWritten, 0, System.Diagnostics.Stopwatch.GetElapsedTime(start), stats);
    }

    internal static void VerifyCommit(Repo destination, Remote remote, Checksum checksum, ReadOnlyMemory<byte> bytes, Formats.GVariant.Variant? metadata)
    {
        try
        {
            GpgVerifier.Verify(destination, remote, bytes.Span, metadata);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Commit {checksum}", e);
        }
    }

    internal static IReadOnlyList<string> ConfiguredBranches(Remote remote) =>
        remote.List("branches") is { Length: > 0 } branches ? branches : throw new RepositoryException($"No configured branches for remote {remote.Name}");
}
