namespace OciOstree.Repository;

/// <summary>A way to learn of places that may have refs of collections.</summary>
public abstract class RemoteFinder
{
    /// <summary>What listings name it by: the type of libostree's.</summary>
    public abstract string Name { get; }

    /// <summary>Lower is tried first.</summary>
    internal abstract int Priority { get; }

    /// <summary>The remotes that may have some of the refs, by what is known without asking them.</summary>
    internal abstract IEnumerable<Remote> Find(Repo repo, IReadOnlyList<CollectionRef> refs);
}
