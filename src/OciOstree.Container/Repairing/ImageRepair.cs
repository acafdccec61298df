using System.Security.Cryptography;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>Finds images whose stored merge is not what their layers give.</summary>
public sealed class ImageRepair(Repo repo)
{
    /// <summary>The images whose merge commit has other content somewhere than its layers have there.</summary>
    public IReadOnlyList<(ImageReference Image, ImportedImage Stored)> FindCorrupted(CancellationToken cancellationToken = default)
    {
        List<(ImageReference, ImportedImage)> corrupted = [];
        var store = new ImageStore(repo);
        foreach (var image in store.List())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (store.Query(image) is { } stored && !IsWhatItsLayersGive(stored))
            {
                corrupted.Add((image, stored));
            }
        }

        return corrupted;
    }

    private bool IsWhatItsLayersGive(ImportedImage stored)
    {
        var layout = ManifestLayout.Parse(stored.Manifest, stored.Config);
        var kept = layout.Layers.Select(layer => repo.ResolveRef(ImageRefs.ForLayer(layer.Descriptor.Digest))).ToArray();
        if (kept.Any(commit => commit is null))
        {
            // Without its layers nothing can be said against it.
            return true;
        }

        using var transaction = repo.BeginTransaction();
        var meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ed /* drwxr-xr-x */, XattrSet.Empty));
        var union = new LayerUnion(repo, layout.HasCommit ? kept[0] : null, meta);
        for (var index = 0; index < kept.Length; index++)
        {
            if (layout.Layers[index].Kind == LayerKind.Derived)
            {
                union.Add(kept[index]!.Value);
            }
        }

        union.Finish();
        return HaveSameContent(union.Root, MutableTree.FromCommit(repo, stored.MergeCommit));
    }

    // Labels and owners may have been given at import; what a file holds may not.
    private bool HaveSameContent(MutableTree expected, MutableTree actual)
    {
        foreach (var (name, checksum) in expected.Files)
        {
            if (!actual.TryGetFile(name, out var other) || (checksum != other && !HaveSameContent(checksum, other)))
            {
                return false;
            }
        }

        foreach (var (name, _) in expected.Directories)
        {
            if (actual.TryGetDirectory(name) is not { } other || !HaveSameContent(expected.TryGetDirectory(name)!, other))
            {
                return false;
            }
        }

        return true;
    }

    private bool HaveSameContent(Checksum a, Checksum b)
    {
        using RepoFile one = repo.OpenFile(a), other = repo.OpenFile(b);
        return one.Header.SymlinkTarget == other.Header.SymlinkTarget && one.Header.IsSymlink == other.Header.IsSymlink && one.Size == other.Size
            && (one.Header.IsSymlink || SHA256.HashData(one.Content).AsSpan().SequenceEqual(SHA256.HashData(other.Content)));
    }
}
