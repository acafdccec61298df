namespace OciOstree.Repository;

/// <summary>A place that has the newest commits of some of the refs that were looked for.</summary>
public sealed class FoundRemote
{
    internal FoundRemote(Remote remote, RemoteFinder finder, ulong lastModified) => (Remote, Finder, SummaryLastModified) = (remote, finder, lastModified);

    /// <summary>The remote to pull from; its name is that of the configured remote whose keys it is trusted by.</summary>
    public Remote Remote { get; }

    public RemoteFinder Finder { get; }

    /// <summary>Seconds since 1970, 0 if unknown.</summary>
    public ulong SummaryLastModified { get; }

    /// <summary>Lower is tried first.</summary>
    public int Priority => Finder.Priority;

    public string Url => Remote.Get("url") ?? (Remote.Get("metalink") is { } metalink ? $"metalink={metalink}" : "");

    /// <summary>The file with the keys that commits must be signed by.</summary>
    public string Keyring => $"{Remote.Name}.trustedkeys.gpg";

    /// <summary>All refs that were looked for, with their commits where this place has the newest; else null.</summary>
    public IReadOnlyDictionary<CollectionRef, Checksum?> Refs { get; internal set; } = new Dictionary<CollectionRef, Checksum?>();

    internal int Count => Refs.Values.Count(commit => commit is not null);
}
