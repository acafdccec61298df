using OciOstree.Formats.Keyfile;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>Pulls from a configured remote that is a repository on this machine (<c>file://</c>).</summary>
internal static class RemotePull
{
    /// <param name="options">Whose refs are wanted; null for those that the remote is configured with.</param>
    /// <param name="url">Instead of the configured one.</param>
    /// <exception cref="RepositoryException">There is no such remote, it is elsewhere, or its signatures would have to be verified.</exception>
    public static TransactionStats Run(Repo repo, string remote, LocalPullOptions options, string? url = null)
    {
        KeyFile config = ConfigOf(repo, remote);
        string section = $"remote \"{remote}\"";
        url ??= config.GetString(section, "url") ?? throw new RepositoryException($"No \"url\" option in remote \"{remote}\"");
        if (config.GetString(section, "unconfigured-state") is { } state)
            throw new RepositoryException($"remote unconfigured-state: {state}");
        if (!url.StartsWith("file://", StringComparison.Ordinal))
            throw new RepositoryException($"Remote \"{remote}\" is at {url}: only file:// remotes can be pulled from");
        // What is configured to be verified must not come in unverified.
        if (config.GetBoolean(section, "gpg-verify") ?? true)
            throw new RepositoryException($"Remote \"{remote}\" wants GPG signatures verified, which this program cannot do (gpg-verify=false turns it off)");
        if (config.GetString(section, "sign-verify") is { } sign && sign != "false")
            throw new RepositoryException($"Remote \"{remote}\" wants signatures verified, which this program cannot do (sign-verify=false turns it off)");
        string[]? refs = options.Refs?.ToArray() ?? config.GetStringList(section, "branches");
        using Repo source = OstreeCall.Open(Uri.UnescapeDataString(url["file://".Length..]));
        return LocalPull.Run(source, repo, options with { Refs = refs, Remote = options.Remote ?? remote }, Entry.Cancellation);
    }

    private static KeyFile ConfigOf(Repo repo, string remote)
    {
        RefName.ValidateRemote(remote);
        for (Repo? at = repo; at is not null; at = at.Parent)
        {
            if (at.Config.HasGroup($"remote \"{remote}\""))
                return at.Config;
        }
        throw new RepositoryException($"Remote \"{remote}\" not found");
    }
}
