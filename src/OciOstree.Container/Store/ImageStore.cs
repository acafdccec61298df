using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The images in a repository, by the refs that hold them.</summary>
public sealed partial class ImageStore(Repo repo)
{
    // Where deployments, and commits that rpm-ostree made from an image, are held. What they came from keeps its layers.
    private static readonly string[] UserPrefixes = ["ostree/0", "ostree/1", "rpmostree/base", ImageRefs.BaseImagePrefix];

    public Repo Repo => repo;

    /// <summary>The names of all images, in order.</summary>
    public IReadOnlyList<ImageReference> List()
    {
        List<ImageReference> images = [];
        foreach (var name in repo.ListRefs(ImageRefs.ImagePrefix).Keys)
        {
            if (ImageRefs.ImageOf(name) is { } text && TryParse(text) is { } image)
            {
                images.Add(image);
            }
        }

        images.Sort(static (a, b) => string.CompareOrdinal(a.ToString(), b.ToString()));
        return images;
    }

    /// <summary>An image by its name; null if there is none.</summary>
    /// <exception cref="ContainerException">There is one, but what it says of itself does not parse.</exception>
    public ImportedImage? Query(ImageReference image)
    {
        if (repo.ResolveRef(ImageRefs.ForImage(image)) is not { } commit)
        {
            return null;
        }

        try
        {
            return QueryCommit(commit) ?? throw new ContainerException($"commit {commit} is no image");
        }
        catch (Exception e) when (e is ContainerException or RepositoryException)
        {
            throw new ContainerException($"Querying image {image}", e);
        }
    }

    /// <summary>The image by its name.</summary>
    /// <exception cref="ContainerException">There is none.</exception>
    public ImportedImage Require(ImageReference image) => Query(image) ?? throw new ContainerException($"No such image: {image}");

    /// <summary>The image that a merge commit holds; null if the commit is no such thing.</summary>
    public ImportedImage? QueryCommit(Checksum mergeCommit) => MergeCommit.Read(repo, mergeCommit);

    /// <summary>The layers of an image, lowest first, with what its history says of each; null where it says nothing.</summary>
    public static IReadOnlyList<(Descriptor Layer, HistoryEntry? Entry)> History(ImportedImage image)
    {
        var entries = EntriesOf(image.Config, image.Manifest.Layers.Count);
        return [.. image.Manifest.Layers.Select((layer, index) => (layer, entries.ElementAtOrDefault(index)))];
    }

    /// <summary>Forgets an image; its layers stay until they are pruned.</summary>
    /// <returns>False if there is none of that name.</returns>
    public bool Remove(ImageReference image)
    {
        var name = ImageRefs.ForImage(image);
        if (repo.ResolveRef(name) is null)
        {
            return false;
        }

        using var transaction = repo.BeginTransaction();
        transaction.SetRef(name, null);
        transaction.Commit();
        return true;
    }

    /// <summary>Forgets several images. Those that exist are removed even if others do not.</summary>
    /// <exception cref="ContainerException">Some do not exist.</exception>
    public void Remove(IEnumerable<ImageReference> images)
    {
        List<ImageReference> missing = [.. images.Where(image => !Remove(image))];
        if (missing.Count > 0)
        {
            throw new ContainerException($"missing images: {string.Join(", ", missing)}");
        }
    }

    /// <summary>Forgets the update that the last check found.</summary>
    public void ClearCachedUpdate(ImageReference image) => MergeCommit.ClearCachedUpdate(repo, Require(image).MergeCommit);

    /// <summary>
    /// Removes the refs of layers that no image, deployment or protected base uses, and what interrupted pulls left.
    /// The objects stay until the repository is pruned.
    /// </summary>
    /// <returns>How many layers lost their ref.</returns>
    public int PruneLayers()
    {
        using var pending = new PendingLayers(repo);
        pending.Clear();
        return PruneLayerRefs();
    }

    internal int PruneLayerRefs()
    {
        // The layers before the images: an image that another process stores meanwhile is seen, or its layers are not.
        var layers = repo.ListRefs(ImageRefs.LayerPrefix).Keys;
        HashSet<Digest> used = [];
        foreach (var manifest in UsedManifests())
        {
            used.UnionWith(manifest.Layers.Select(layer => layer.Digest));
        }

        var pruned = 0;
        using var transaction = repo.BeginTransaction();
        foreach (var name in layers)
        {
            if (ImageRefs.LayerOf(name) is { } digest && !used.Contains(digest))
            {
                transaction.SetRef(name, null);
                pruned++;
            }
        }

        if (pruned > 0)
        {
            transaction.Commit();
        }

        return pruned;
    }

    /// <summary>The layers that are stored, by the digest of their uncompressed content: the same content may come compressed another way.</summary>
    internal Dictionary<Digest, Checksum> LayersByDiffId()
    {
        Dictionary<Digest, Checksum> layers = [];
        foreach (var (digest, diffId) in LayersOfImages())
        {
            if (!diffId.IsEmpty && !layers.ContainsKey(diffId) && repo.ResolveRef(ImageRefs.ForLayer(digest)) is { } layer)
            {
                layers.Add(diffId, layer);
            }
        }

        return layers;
    }

    /// <summary>What the images here say of the uncompressed content of their layers; empty digests where they say nothing.</summary>
    internal ILookup<Digest, Digest> DiffIdsByLayer() => LayersOfImages().ToLookup(layer => layer.Digest, layer => layer.DiffId);

    private IEnumerable<(Digest Digest, Digest DiffId)> LayersOfImages() => UsedCommits()
        .Select(TryQuery)
        .OfType<ImportedImage>()
        .SelectMany(image => image.Manifest.Layers.Select((layer, index) => (layer.Digest, index < image.Config.DiffIds.Count ? image.Config.DiffIds[index] : default)));

    /// <summary>What the history says of each layer of a manifest, lowest first; empty where it says nothing.</summary>
    public static IReadOnlyList<string> HistoryOf(ImageConfig config, Manifest manifest)
    {
        var history = HistoryOf(config, manifest.Layers.Count);
        return [.. manifest.Layers.Select((_, index) => index < history.Count ? history[index] : "")];
    }

    /// <summary>What the history says of each layer: entries that made none are passed over where the image marks them.</summary>
    internal static IReadOnlyList<string> HistoryOf(ImageConfig config, int layers) => [.. EntriesOf(config, layers).Select(entry => entry.CreatedBy ?? "")];

    private static IReadOnlyList<HistoryEntry> EntriesOf(ImageConfig config, int layers)
    {
        var entries = config.History.Where(entry => !entry.EmptyLayer).ToArray();
        // Some writers mark nothing and simply leave entries out.
        return entries.Length >= layers ? entries : config.History;
    }

    private IEnumerable<Manifest> UsedManifests()
    {
        foreach (var commit in UsedCommits())
        {
            // An image that does not parse must stop a prune: its layers would be lost.
            if (QueryCommit(commit) is { } image)
            {
                yield return image.Manifest;
            }
        }
    }

    private IEnumerable<Checksum> UsedCommits()
    {
        HashSet<Checksum> commits = [.. repo.ListRefs(ImageRefs.ImagePrefix).Values];
        foreach (var prefix in UserPrefixes)
        {
            commits.UnionWith(repo.ListRefs(prefix).Values);
        }

        return commits.Where(commit => repo.HasObject(new ObjectName(commit, ObjectType.Commit)));
    }

    private ImportedImage? TryQuery(Checksum commit)
    {
        try
        {
            return QueryCommit(commit);
        }
        catch (Exception e) when (e is ContainerException or RepositoryException)
        {
            // Only a chance to save a download is lost.
            return null;
        }
    }

    private static ImageReference? TryParse(string text)
    {
        try
        {
            return ImageReference.Parse(text);
        }
        catch (RegistryException)
        {
            return null;
        }
    }
}
