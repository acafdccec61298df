namespace OciOstree.Repository;

/// <summary>What is pulled from a remote and how.</summary>
public sealed record RemotePullOptions
{
    /// <summary>Refs or commit checksums; null means those that the remote is configured with, or all of them for a mirror.</summary>
    public IReadOnlyList<string>? Refs { get; init; }

    /// <summary>Instead of <see cref="Refs"/>: refs of collections, each with the commit that is wanted or null for what it points at.</summary>
    public IReadOnlyList<KeyValuePair<CollectionRef, Checksum?>>? CollectionRefs { get; init; }

    /// <summary>Instead of the configured URL, unless the remote has a metalink.</summary>
    public string? Url { get; init; }

    /// <summary>Write refs as this repository's own, under the names that they have there.</summary>
    public bool Mirror { get; init; }

    /// <summary>How many ancestors to bring along; -1 for all that the remote has.</summary>
    public int Depth { get; init; }

    /// <summary>Bring commit objects only, marked as partial.</summary>
    public bool CommitsOnly { get; init; }

    /// <summary>Absolute paths; only what is below them is brought, and the commits are marked as partial.</summary>
    public IReadOnlyList<string> Subpaths { get; init; } = [];

    /// <summary>Refuse files with modes outside 0775.</summary>
    public bool BareUserOnlyFiles { get; init; }

    /// <summary>Check the objects of a repository on this machine before they are linked; what comes over a network always is.</summary>
    public bool Untrusted { get; init; }

    /// <summary>Bring files that a server has damaged into an archive as they are; any other repository refuses them.</summary>
    public bool HttpTrusted { get; init; }

    /// <summary>Told of damaged files that are brought over all the same, since their source is trusted; null refuses them.</summary>
    public Action<CorruptedObjectException>? Damaged { get; init; }

    /// <summary>Do not check that commits are bound to the refs they are asked for by.</summary>
    public bool IgnoreBindings { get; init; }

    /// <summary>Refuse a commit that is older than the one the ref points at here.</summary>
    public bool TimestampCheck { get; init; }

    /// <summary>Refuse commits that are older than this one.</summary>
    public string? TimestampCheckFrom { get; init; }

    /// <summary>Repositories on this machine that are asked for objects before the remote.</summary>
    public IReadOnlyList<Repo> LocalCaches { get; init; } = [];

    /// <summary>Bring commits by static deltas where the remote has some that fit.</summary>
    public bool UseDeltas { get; init; } = true;

    /// <summary>Fail where it has none; deltas are then used from a repository on this machine, too.</summary>
    public bool RequireDeltas { get; init; }

    /// <summary>Only find out what deltas would be fetched.</summary>
    public bool DryRun { get; init; }

    /// <summary>Headers for every request.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>How many times a download is tried again after a failure that may pass.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>Whether also refused connections, unknown hosts and answers that tell of trouble on the server are tried again.</summary>
    public bool RetryAll { get; init; } = true;

    /// <summary>Bytes a second, on average over <see cref="LowSpeedTime"/>, below which a download is given up and tried again.</summary>
    public long LowSpeedLimit { get; init; } = 1000;

    /// <summary>See <see cref="LowSpeedLimit"/>; zero waits for ever.</summary>
    public TimeSpan LowSpeedTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where summaries are kept between pulls, instead of <c>tmp/cache</c> in the repository.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>How requests introduce themselves.</summary>
    public string UserAgent { get; init; } = "oci-ostree";

    /// <summary>Words for the end of the User-Agent.</summary>
    public string? UserAgentSuffix { get; init; }

    /// <summary>How many downloads at once.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Told how many objects of how many known so far are here, and how many bytes came, from several threads.</summary>
    public Action<int, int, long> Progress { get; init; } = static (_, _, _) => { };
}
