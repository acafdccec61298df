using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Layers that are in the repository while the pull that brought them is not done: an interrupted one is resumed from here, and refs
/// change only when all of an image is there. A file a layer, named by its digest, under <c>extensions/oci-ostree/layers</c>, holds its commit.
/// </summary>
internal sealed class PendingLayers
{
    private const string Directory = "extensions/oci-ostree/layers";

    private readonly Repo repo;

    internal PendingLayers(Repo repo) => this.repo = repo;

    internal void Add(Digest layer, Checksum commit)
    {
        repo.Root.MakePath(Directory, 0x1ed);
        repo.Root.ReplaceFile(PathOf(layer), System.Text.Encoding.ASCII.GetBytes(commit.ToString()), 0x1a4, repo.Settings.Fsync);
    }

    /// <summary>The commit of a pending layer, if all of it is still there: nothing else protects it from a prune.</summary>
    /// <param name="isWhole">Whether all objects that the layer brought are there.</param>
    internal Checksum? Find(Digest layer, Func<Checksum, bool> isWhole)
    {
        var content = repo.Root.TryReadAllBytes(PathOf(layer), 4096);
        if (content is not null && Checksum.TryParse(System.Text.Encoding.ASCII.GetString(content), out var commit) && isWhole(commit))
        {
            return commit;
        }

        return null;
    }

    internal void Remove(Digest layer) => repo.Root.TryUnlink(PathOf(layer));

    internal void Clear() => repo.Root.RemoveTree(Directory);

    private static string PathOf(Digest layer) => $"{Directory}/{layer.Algorithm}-{layer.Hex}";
}
