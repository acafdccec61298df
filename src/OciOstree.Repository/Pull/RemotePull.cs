using OciOstree.Formats.GVariant;

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
        // What is configured to be verified must not come in unverified.
        if (remote.WantsOtherSignatures)
            throw new RepositoryException($"Remote \"{remote.Name}\" wants signatures verified that are not OpenPGP's, which this program cannot do (sign-verify=false turns it off)");
        string? url = options.Url ?? remote.Get("url");
        if (url is not null && url.StartsWith("file://", StringComparison.Ordinal) && remote.Get("metalink") is null)
            return new RemoteDirectory(Repo.Open(Uri.UnescapeDataString(url["file://".Length..])));
        return new RemoteFetcher(repo, remote, url, options, cancellation);
    }

    /// <summary>Checks the signature of a summary where the remote wants that.</summary>
    internal static void VerifySummary(Repo repo, Remote remote, byte[]? summary, byte[]? signature)
    {
        if (!remote.VerifiesSummary)
            return;
        try
        {
            if (summary is null)
                throw new RepositoryException("GPG verification enabled, but no summary found (use gpg-verify-summary=false in remote config to disable)");
            if (signature is null)
                throw new RepositoryException("GPG verification enabled, but no summary.sig found (use gpg-verify-summary=false in remote config to disable)");
            Variant signatures = Variant.FromBytes("a{sv}", signature);
            GpgVerifier.Verify(repo, remote, summary, signatures.IsNormalForm() ? signatures : null);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Summary of remote \"{remote.Name}\"", e);
        }
    }

    internal static void VerifyCommit(Repo destination, Remote remote, Checksum checksum, ReadOnlyMemory<byte> bytes, Variant? metadata)
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
}
