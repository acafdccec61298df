namespace OciOstree.Repository;

public sealed partial class MutableTree
{
    /// <summary>Lays a stored tree over this one: its files replace those of the same name, its directories are merged.</summary>
    /// <remarks>A subtree that this one has nothing in the place of is taken over by its checksum, unread.</remarks>
    /// <exception cref="RepositoryException">
    /// A file is to replace a directory or the other way round, and <paramref name="options"/> do not allow it; or a whiteout names nothing.
    /// </exception>
    public void Overlay(Repo repo, Checksum tree, Checksum meta, OverlayOptions? options = null)
    {
        options ??= OverlayOptions.Default;
        Metadata = metadata == null || !options.KeepDirectoryMetadata ? meta : metadata;
        OverlayContents(repo, tree, meta, options);
    }

    private void OverlayContents(Repo repo, Checksum tree, Checksum meta, OverlayOptions options)
    {
        if (!options.Whiteouts)
        {
            if (contents == tree)
                return;
            if (IsEmpty)
            {
                // The same as reading it name by name, but nothing is read.
                Invalidate();
                (source, contents) = (repo, tree);
                return;
            }
        }

        TreeDepth.Check();
        DirTree upper = repo.ReadDirTree(tree);
        if (options.Whiteouts)
            ApplyWhiteouts(upper, meta);
        foreach (DirTreeFile file in upper.Files)
        {
            if (options.Whiteouts && file.Name.StartsWith(Whiteout.Prefix, StringComparison.Ordinal))
                continue;
            if (options.ReplaceOtherTypes)
                ReplaceWithFile(file.Name, file.Checksum);
            else
                SetFile(file.Name, file.Checksum);
        }

        foreach (DirTreeDirectory directory in upper.Directories)
        {
            if (TryGetDirectory(directory.Name) is { } existing)
            {
                existing.Overlay(repo, directory.Tree, directory.Meta, options);
                continue;
            }
            if (!options.ReplaceOtherTypes && files.ContainsKey(directory.Name))
                throw new RepositoryException($"Can't replace file with directory: {directory.Name}");
            MutableTree added = ReplaceWithDirectory(directory.Name, repo, directory.Tree, directory.Meta);
            if (options.Whiteouts)
                added.RemoveWhiteouts();
        }
    }

    // All of a directory's whiteouts come before its other names: a layer may remove a name and make it anew.
    private void ApplyWhiteouts(DirTree upper, Checksum meta)
    {
        foreach (DirTreeFile file in upper.Files)
        {
            if (!file.Name.StartsWith(Whiteout.Prefix, StringComparison.Ordinal))
                continue;
            if (file.Name == Whiteout.Opaque)
            {
                Clear();
                Metadata = meta;
                continue;
            }
            if (file.Name.Length == Whiteout.Prefix.Length)
                throw new RepositoryException($"Invalid empty whiteout '{file.Name}'");
            Remove(file.Name[Whiteout.Prefix.Length..]);
        }
    }

    // In a directory that nothing was beneath, whiteouts hide nothing and must not be seen.
    private void RemoveWhiteouts()
    {
        TreeDepth.Check();
        foreach (string name in Load().files.Keys.Where(static name => name.StartsWith(Whiteout.Prefix, StringComparison.Ordinal)).ToArray())
            Remove(name);
        foreach (MutableTree directory in directories.Values)
            directory.RemoveWhiteouts();
    }
}
