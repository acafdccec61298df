namespace OciOstree.Repository;

/// <summary>Finds among the remotes that are configured with the collection of a ref.</summary>
public sealed class ConfiguredRemoteFinder : RemoteFinder
{
    public override string Name => "OstreeRepoFinderConfig";

    internal override int Priority => 100;

    internal override IEnumerable<Remote> Find(Repo repo, IReadOnlyList<CollectionRef> refs) =>
        Remote.All(repo).Where(remote => refs.Any(r => r.CollectionId == remote.Get("collection-id")));
}
