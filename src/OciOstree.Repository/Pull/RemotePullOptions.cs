namespace OciOstree.Repository;

/// <summary>What is pulled from a remote and how.</summary>
public sealed record RemotePullOptions
{
    /// <summary>Refs or commit checksums; null means those that the remote is configured with, or all of them for a mirror.</summary>
    public IReadOnlyList<string>? Refs { get; init; }

    /// <summary>Instead of the configured URL.</summary>
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

    /// <summary>Do not check that commits are bound to the refs they are asked for by.</summary>
    public bool IgnoreBindings { get; init; }

    /// <summary>Refuse a commit that is older than the one the ref points at here.</summary>
    public bool TimestampCheck { get; init; }

    /// <summary>Refuse commits that are older than this one.</summary>
    public string? TimestampCheckFrom { get; init; }

    /// <summary>Repositories on this machine that are asked for objects before the remote.</summary>
    public IReadOnlyList<Repo> LocalCaches { get; init; } = [];

    /// <summary>Headers for every request.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>How many times a download is tried again after a failure that may pass.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>How requests introduce themselves.</summary>
    public string UserAgent { get; init; } = "oci-ostree";

    /// <summary>Words for the end of the User-Agent.</summary>
    public string? UserAgentSuffix { get; init; }

    /// <summary>How many downloads at once.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Told how many objects of how many known so far are here, and how many bytes came, from several threads.</summary>
    public Action<int, int, long> Progress { get; init; } = static (_, _, _) => { };
}
