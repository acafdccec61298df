using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Lays derived layers over each other in memory, as a container runtime's overlay would show them. Only directories that a layer
/// touches are read.
/// </summary>
internal sealed partial class LayerUnion
{
    private readonly Repo repo;
    private readonly Checksum? baseCommit;
    private readonly Checksum defaultMeta;
    private readonly Dictionary<Checksum, bool> withoutWhiteouts = [];
    private HashSet<Checksum>? baseFiles;

    /// <param name="defaultMeta">A stored dirmeta for directories that no layer describes.</param>
    internal LayerUnion(Repo repo, Checksum? baseCommit, Checksum defaultMeta)
    {
        (this.repo, this.baseCommit, this.defaultMeta) = (repo, baseCommit, defaultMeta);
        Root = baseCommit is { } commit ? MutableTree.FromCommit(repo, commit) : new MutableTree { Metadata = defaultMeta };
    }

    internal MutableTree Root { get; }

    internal void Add(Checksum layerCommit)
    {
        var commit = repo.ReadCommit(layerCommit);
        var metadata = LayerMetadata.Read(commit);
        // They mean what lower layers have, be it that this one hides it.
        var links = metadata.Links.Select(link => (link.Path, Checksum: FindTarget(link.Target)
            ?? throw new ContainerException($"hard link '{link.Path.Trim('/')}' leads to '{link.Target}', which is not in the image"))).ToArray();
        AddDirectory(Root, commit.RootTree, commit.RootMeta, "", isNew: false, isHidden: false, metadata, Spelling.Any);
        foreach (var (path, checksum) in links)
        {
            AddLink(path, checksum, metadata);
        }
    }

    /// <summary>Once all layers are there: what some of them have in <c>usr/etc</c> and in <c>etc</c> becomes one, and what container builds leave behind goes.</summary>
    internal void Finish()
    {
        LayUsrEtcOverEtc();
        RemoveBuildLeftovers();
    }

    // An empty hostname and resolv.conf, where the runtime mounted its own.
    private void RemoveBuildLeftovers()
    {
        if (Root.Walk("usr/etc") is not { } etc)
        {
            return;
        }

        foreach (var name in (ReadOnlySpan<string>)["hostname", "resolv.conf"])
        {
            if (etc.TryGetFile(name, out var checksum) && !repo.ReadFileHeader(checksum, out var size).IsSymlink && size == 0)
            {
                etc.Remove(name);
            }
        }
    }

    /// <summary>Whether there is a kernel in any of the places where deployments look for one.</summary>
    internal bool HasKernel() =>
        Root.Walk("usr/lib/modules")?.Directories.Values.Any(directory => directory.TryGetFile("vmlinuz", out _)) == true
        || HasKernelIn("usr/lib/ostree-boot")
        || HasKernelIn("boot");

    private bool HasKernelIn(string path) => Root.Walk(path)?.Files.Keys.Any(name => name.StartsWith("vmlinuz", StringComparison.Ordinal)) == true;

    // isHidden: whether the layer hides what lower layers have there, by a whiteout of it or of what it is in.
    private void AddDirectory(MutableTree lower, Checksum tree, Checksum meta, string path, bool isNew, bool isHidden, LayerMetadata metadata, Spelling spelling)
    {
        // Peers' layer commits do not say which directories are implied; like them, take none of their word over an existing one's.
        if ((isNew && spelling != Spelling.UsrEtc) || (metadata.IsOurs && IsDescribed(path, metadata, spelling)))
        {
            lower.Metadata = meta;
            Note(path, spelling);
        }

        var upper = Part(repo.ReadDirTree(tree), path, metadata, spelling);
        ApplyWhiteouts(lower, upper, path, metadata);
        foreach (var file in upper.Files)
        {
            if (!LayerPath.IsWhiteout(file.Name))
            {
                lower.ReplaceWithFile(file.Name, file.Checksum);
                Note($"{path}/{file.Name}", spelling);
            }
        }

        foreach (var directory in upper.Directories)
        {
            var childPath = $"{path}/{directory.Name}";
            if (childPath == UsrEtcPath && IsDivided(metadata))
            {
                AddDivided(lower, directory, upper, isHidden, metadata);
                continue;
            }

            var existing = lower.TryGetDirectory(directory.Name);
            var isChildHidden = isHidden || IsHidden(upper, directory.Name);
            if (existing is null && isChildHidden && HasOnlyWhiteouts(directory.Tree, childPath, metadata))
            {
                // Some builders hide what is in a directory, one by one, and then the directory.
                continue;
            }

            if (existing is null && lower.TryGetFile(directory.Name, out var inTheWay))
            {
                RefuseToFollow(childPath, inTheWay, metadata);
            }

            if (existing is null && spelling == Spelling.Any && HasNoWhiteouts(directory.Tree) && !(childPath == "/usr" && IsDivided(metadata)))
            {
                // Nothing lies beneath it, and it hides nothing: it is as the layer has it, however much that is.
                lower.ReplaceWithDirectory(directory.Name, repo, directory.Tree, directory.Meta);
                continue;
            }

            AddDirectory(existing ?? lower.ReplaceWithDirectory(directory.Name), directory.Tree, directory.Meta, childPath, existing is null, isChildHidden, metadata, spelling);
        }
    }

    // The names are searched as they are stored. What merely looks like a whiteout is then looked at one by one.
    private bool HasNoWhiteouts(Checksum tree)
    {
        if (!withoutWhiteouts.TryGetValue(tree, out var known))
        {
            var bytes = repo.ReadMetadata(new ObjectName(tree, ObjectType.DirTree)).Span;
            known = bytes.IndexOf(".wh."u8) < 0 && DirTree.ParseDirectories(bytes).All(directory => HasNoWhiteouts(directory.Tree));
            withoutWhiteouts.Add(tree, known);
        }

        return known;
    }

    private static bool IsHidden(DirTree upper, string name) =>
        upper.TryGetFile(LayerPath.WhiteoutPrefix + name, out _) || upper.TryGetFile(LayerPath.OpaqueWhiteout, out _);

    private bool HasOnlyWhiteouts(Checksum tree, string path, LayerMetadata metadata)
    {
        var content = repo.ReadDirTree(tree);
        return IsImplied(path, metadata)
            && content.Files.All(file => LayerPath.IsWhiteout(file.Name))
            && content.Directories.All(directory => HasOnlyWhiteouts(directory.Tree, $"{path}/{directory.Name}", metadata));
    }

    // All of a directory's whiteouts come before its other names: they hide what lower layers have, never their own layer's.
    private void ApplyWhiteouts(MutableTree lower, DirTree upper, string path, LayerMetadata metadata)
    {
        if (upper.TryGetFile(LayerPath.OpaqueWhiteout, out _))
        {
            HideAll(lower, path);
        }

        foreach (var file in upper.Files)
        {
            if (LayerPath.IsWhiteout(file.Name))
            {
                Hide(lower, path, file.Name[LayerPath.WhiteoutPrefix.Length..], metadata);
            }
        }
    }

    // A layer that means to replace a link by a directory says so with an entry for the directory; one that only reaches beneath
    // a link of another layer wants to write where the link leads.
    private void RefuseToFollow(string path, Checksum inTheWay, LayerMetadata metadata)
    {
        if (IsImplied(path, metadata))
        {
            throw new ContainerException($"a layer has files beneath '{path[1..]}', which is a {(repo.ReadFileHeader(inTheWay, out _).IsSymlink ? "symbolic link" : "file")} of a lower layer");
        }
    }

    private void AddLink(string path, Checksum checksum, LayerMetadata metadata)
    {
        var isOfUsrEtc = metadata.UsrEtc.Contains(path);
        var (directory, rest) = isOfUsrEtc ? (usrEtc ??= new MutableTree(), path[UsrEtcPath.Length..]) : (Root, path);
        var parts = rest.Trim('/').Split('/');
        foreach (var name in parts[..^1])
        {
            directory = directory.GetOrAddDirectory(name);
            if (!isOfUsrEtc)
            {
                directory.Metadata ??= defaultMeta;
            }
        }

        directory.ReplaceWithFile(parts[^1], checksum);
        if (IsDivided(metadata))
        {
            Note(path, isOfUsrEtc ? Spelling.UsrEtc : Spelling.Etc);
        }
    }

    private Checksum? FindTarget(string target)
    {
        if (target.StartsWith(LayerPath.RepositoryPrefix, StringComparison.Ordinal))
        {
            return ObjectEntry.Parse(target.Split('/')) is { Kind: ObjectEntry.EntryKind.File } link && BaseFiles().Contains(link.Checksum) ? link.Checksum : null;
        }

        return FindFile(Root, target)
            ?? (usrEtc is not null && target.StartsWith("usr/etc/", StringComparison.Ordinal) ? FindFile(usrEtc, target["usr/etc/".Length..]) : null);
    }

    private static Checksum? FindFile(MutableTree tree, string path)
    {
        var slash = path.LastIndexOf('/');
        var directory = tree.Walk(slash < 0 ? "" : path[..slash]);
        return directory is not null && directory.TryGetFile(path[(slash + 1)..], out var checksum) ? checksum : null;
    }

    // Only what the image itself brought may be linked to, whatever else the repository holds.
    private HashSet<Checksum> BaseFiles() => baseFiles ??= baseCommit is { } commit ? ObjectCheck.FilesOf(repo, commit) : [];

    private static bool IsImplied(string path, LayerMetadata metadata) => metadata.ImpliedDirectories.Contains(path.Length == 0 ? "/" : path);
}
