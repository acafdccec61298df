using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>A commit being put together: what is said about a tree besides the tree itself. The same draft gives the same checksum as <c>ostree commit</c>.</summary>
public sealed class CommitDraft
{
    /// <summary>Commit metadata that says there is a kernel in the tree.</summary>
    public const string BootableKey = "ostree.bootable";

    /// <summary>Commit metadata with the version of that kernel.</summary>
    public const string LinuxKey = "ostree.linux";

    public string Subject { get; init; } = "";

    public string Body { get; init; } = "";

    public Checksum? Parent { get; init; }

    /// <summary>Seconds since 1970, UTC.</summary>
    public required ulong Timestamp { get; init; }

    /// <summary>The first part of the metadata, in this order.</summary>
    public IReadOnlyList<KeyValuePair<string, Variant>> Metadata { get; init; } = [];

    /// <summary>The branches the commit is bound to, in any order; null binds it neither to branches nor to the repository's collection.</summary>
    public IReadOnlyList<string>? BoundRefs { get; init; }

    /// <summary>Says in the metadata which kernel the tree boots.</summary>
    public bool Bootable { get; init; }

    /// <summary>Names in the metadata the digest of the tree's composefs image, for which all files are read.</summary>
    public bool ComposefsDigest { get; init; }

    /// <summary>Writes the tree's changed directories and the commit. No ref is set.</summary>
    /// <exception cref="RepositoryException">The tree has no root metadata, or is to be bootable and has no kernel or several.</exception>
    public Checksum Write(RepoTransaction transaction, MutableTree root, CancellationToken cancellation = default) =>
        transaction.WriteCommit(Build(transaction, root, cancellation));

    /// <summary>Writes the tree's changed directories, and makes the commit without writing it.</summary>
    /// <exception cref="RepositoryException">As of <see cref="Write"/>.</exception>
    public Commit Build(RepoTransaction transaction, MutableTree root, CancellationToken cancellation = default)
    {
        Checksum tree = root.Write(transaction);
        return new Commit
        {
            Metadata = AssembleMetadata(transaction.Repo, root, tree, cancellation),
            Parent = Parent,
            Subject = Subject,
            Body = Body,
            Timestamp = Timestamp,
            RootTree = tree,
            RootMeta = root.Metadata!.Value,
        };
    }

    /// <summary>The version of the one kernel in a tree: the directory of <c>usr/lib/modules</c> that has a <c>vmlinuz</c>.</summary>
    /// <exception cref="RepositoryException">There is none, or more than one.</exception>
    public static string FindKernel(MutableTree root)
    {
        MutableTree modules = root;
        string path = "";
        foreach (string name in (ReadOnlySpan<string>)["usr", "lib", "modules"])
        {
            path += "/" + name;
            modules = modules.TryGetDirectory(name)
                ?? throw new RepositoryException("Opening usr/lib/modules", new RepositoryException($"No such file or directory: {path}"));
        }
        string[] kernels = [.. modules.Directories.Where(static directory => directory.Value.TryGetFile("vmlinuz", out _)).Select(static directory => directory.Key)];
        return kernels.Length switch
        {
            1 => kernels[0],
            0 => throw new RepositoryException("No kernel found in /usr/lib/modules"),
            _ => throw new RepositoryException("Multiple kernels found in /usr/lib/modules"),
        };
    }

    private Variant AssembleMetadata(Repo repo, MutableTree root, Checksum tree, CancellationToken cancellation)
    {
        var metadata = new List<KeyValuePair<string, Variant>>(Metadata);
        if (BoundRefs is { } refs)
        {
            metadata.Add(new(Bindings.RefKey, Variant.Strings(refs.Order(StringComparer.Ordinal))));
            if (repo.Settings.CollectionId is { } collection && !Metadata.Any(static entry => entry.Key == Bindings.CollectionKey))
                metadata.Add(new(Bindings.CollectionKey, Variant.String(collection)));
        }
        // ostree passes the metadata through a GVariantDict for each of the following, and the order in which that gives it back is in the checksum.
        Variant assembled = Variant.Dictionary(metadata);
        if (Bootable)
        {
            assembled = new VariantDictionary(assembled)
            {
                [BootableKey] = Variant.Boolean(true),
                [LinuxKey] = Variant.String(FindKernel(root)),
            }.ToVariant();
        }
        if (ComposefsDigest)
        {
            Checksum digest = Composefs.ComputeDigest(repo, tree, root.Metadata!.Value, cancellation);
            assembled = new VariantDictionary(assembled) { [Composefs.DigestKey] = Variant.Bytes(digest.ToArray()) }.ToVariant();
        }
        return assembled;
    }
}
