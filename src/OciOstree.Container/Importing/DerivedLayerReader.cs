using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Imports an ordinary container layer as a commit of its tree, whiteouts included, mapped to where ostree wants things.
/// </summary>
internal sealed class DerivedLayerReader
{
    private readonly RepoTransaction transaction;
    private readonly ObjectWriters.Batch writers;
    private readonly LayerPath paths;
    private readonly ContentLabels? labels;
    private readonly ContentSpool spool;
    private readonly LayerTree tree;
    private readonly DroppedContent dropped = new();
    private readonly HashSet<string> topLevels = new(StringComparer.Ordinal);

    // Entries without a place in the tree that later ones may link to. Builds that rewrite a file in place through its hard link
    // give the new content under sysroot/ostree/repo/objects, or under whichever of its names sorts first.
    private readonly Dictionary<string, Unplaced> unplaced = new(StringComparer.Ordinal);

    // Device nodes and fifos, by their names in the layer: other names of theirs are left out as they are.
    private readonly HashSet<string> specialFiles = new(StringComparer.Ordinal);
    private readonly EtcSpelling spelling = new();
    private HoleBudget holes;

    private DerivedLayerReader(RepoTransaction transaction, ObjectWriters.Batch writers, LayerPath paths, ContentLabels? labels, ContentSpool spool, LayerTree tree) =>
        (this.transaction, this.writers, this.paths, this.labels, this.spool, this.tree) = (transaction, writers, paths, labels, spool, tree);

    /// <summary>Reads the layer; returns the commit of its tree and what was left out.</summary>
    /// <param name="labels">
    /// The labels that the image will most likely have, so that content need not be written again for them; null if nothing is known of them. A file with several
    /// names gets that of the first. The merge sees to the rest.
    /// </param>
    internal static (Checksum Commit, DroppedContent Dropped) Read(TarReader tar, RepoTransaction transaction, ObjectWriters.Batch writers, LayerPath paths, ContentLabels? labels)
    {
        using var temporary = transaction.Repo.Root.OpenDirectory("tmp", followLinks: true);
        using var spool = new ContentSpool(temporary);
        using var tree = new LayerTree(temporary);
        var reader = new DerivedLayerReader(transaction, writers, paths, labels, spool, tree);
        while (tar.Next() is { } entry)
        {
            reader.holes.Add(entry, tar);
            reader.ReadEntry(entry, tar.Content);
        }

        reader.ResolveLinks(reader.tree.Root, []);
        writers.Finish();
        return (reader.WriteCommit(), reader.dropped);
    }

    private Checksum WriteCommit()
    {
        List<string> implied = [];
        List<(string Path, string Target)> links = [];
        var sameFiles = tree.SameFiles();
        var (root, meta) = tree.Write(transaction, implied, links);
        return transaction.WriteCommit(new Commit { Metadata = LayerMetadata.Write(implied, links, sameFiles, spelling, labels?.Id, topLevels.Select(name => (name, paths.RuleOf(name))), dropped), RootTree = root, RootMeta = meta });
    }

    private void ReadEntry(TarEntry entry, Stream content)
    {
        var source = LayerPath.Split(entry.Name);
        if (specialFiles.Count > 0)
        {
            specialFiles.Remove(string.Join('/', source));
        }

        var path = Map(source);
        if (path is null)
        {
            ReadUnplaced(entry, content, source);
            return;
        }

        spelling.Add(source, path);
        if (path.Length > 0 && LayerPath.IsWhiteout(path[^1]))
        {
            ReadWhiteout(entry, content, path);
        }
        else
        {
            ReadPlaced(entry, content, path, source);
        }
    }

    private void ReadPlaced(TarEntry entry, Stream content, string[] path, string[] source)
    {
        if (entry.Type == TarEntryType.Directory)
        {
            var meta = DirectoryMeta(entry);
            tree.SetDirectory(path, labels?.Apply(Absolute(path), meta) ?? meta);
            return;
        }

        if (path.Length == 0)
        {
            throw new ContainerException("the root of the layer is not a directory");
        }

        switch (entry.Type)
        {
            case TarEntryType.File or TarEntryType.SymbolicLink:
                var header = Header(entry);
                tree.Set(path, WriteFile(labels?.Apply(Absolute(path), header) ?? header, entry.Size, content));
                break;
            case TarEntryType.HardLink:
                var target = LinkTarget(entry);
                if (specialFiles.Contains(string.Join('/', target)))
                {
                    LeaveOut(path, source);
                    break;
                }

                tree.Set(path, Linked(FindTarget(target)) ?? new LayerTree.LinkNode(target));
                break;
            default:
                LeaveOut(path, source);
                break;
        }
    }

    private void LeaveOut(string[] path, string[] source)
    {
        dropped.AddSpecialFile(string.Join('/', path));
        specialFiles.Add(string.Join('/', source));
        // It hides what lower layers have there, all the same.
        tree.Remove(path);
        string[] whiteout = [.. path[..^1], LayerPath.WhiteoutPrefix + path[^1]];
        tree.Set(whiteout, Whiteout());
        spelling.AddWhiteoutOf(path, whiteout);
    }

    private LayerTree.FileNode Whiteout() => WriteFile(FileHeader.Regular(0, 0, 0x1a4, XattrSet.Empty), 0, Stream.Null);

    private void ReadWhiteout(TarEntry entry, Stream content, string[] path)
    {
        var name = path[^1];
        if (name != LayerPath.OpaqueWhiteout)
        {
            if (name[LayerPath.WhiteoutPrefix.Length..] is "" or "." or "..")
            {
                throw new ContainerException($"'{entry}' is a whiteout of nothing");
            }
        }

        // What the layer has replaced as a whole hides all that was beneath it anyway.
        if (tree.IsBlocked(path))
        {
            return;
        }

        tree.Set(path, entry.Type == TarEntryType.File
            ? WriteFile(Header(entry), entry.Size, content)
            : Whiteout());
    }

    private void ReadUnplaced(TarEntry entry, Stream content, string[] source)
    {
        var name = string.Join('/', source);
        if (LayerPath.IsOfAufs(source))
        {
            if (!LayerPath.IsLinkOfAufs(source))
            {
                return;
            }
        }
        else if (source is not ["sysroot", "ostree", ..])
        {
            // What a base or a build has of the base's repository is no loss: what counts of it has its names elsewhere.
            dropped.AddPath(LayerPath.CountAs(source), name);
        }

        switch (entry.Type)
        {
            case TarEntryType.File:
                unplaced[name] = new Unplaced(Header(entry), entry.Size, entry.Size == 0 ? 0 : spool.Add(content));
                break;
            case TarEntryType.SymbolicLink:
                unplaced[name] = new Unplaced(Header(entry), 0, 0);
                break;
            case TarEntryType.HardLink when FindTarget(LinkTarget(entry)) is LayerTree.FileNode file:
                Linked(file);
                unplaced[name] = new Unplaced(file);
                break;
            case TarEntryType.HardLink when !specialFiles.Contains(string.Join('/', LinkTarget(entry))):
            case TarEntryType.Directory:
                unplaced.Remove(name);
                break;
            default:
                unplaced.Remove(name);
                specialFiles.Add(name);
                break;
        }
    }

    /// <summary>The file that a link means, if the layer has had it; written now if it had no place.</summary>
    private LayerTree.Node? FindTarget(string[] target)
    {
        var place = Map(target);
        if (place is not null)
        {
            return tree.Find(place) switch
            {
                LayerTree.DirectoryNode => throw new ContainerException($"a hard link leads to the directory '{string.Join('/', target)}'"),
                var node => node,
            };
        }

        if (!unplaced.TryGetValue(string.Join('/', target), out var found))
        {
            return null;
        }

        return found.Node ??= WriteFile(found.Header!, found.Size, found.Size == 0 ? Stream.Null : spool.Open(found.Start, found.Size));
    }

    /// <summary>Tries links again whose target came after them; what is not in the layer at all is left for the layers beneath.</summary>
    private void ResolveLinks(LayerTree.DirectoryNode directory, List<string> path)
    {
        foreach (var (name, node) in directory.Open.ToArray())
        {
            path.Add(name);
            switch (node)
            {
                case LayerTree.DirectoryNode child:
                    ResolveLinks(child, path);
                    break;
                case LayerTree.LinkNode link:
                    if (Resolve(link, path) is { } target)
                    {
                        directory.Open[name] = target;
                    }
                    else
                    {
                        LeaveOut([.. path], [.. path]);
                        // How the layer spells it is not known any more: what links to it may mean either.
                        if (path is ["usr", "etc", ..])
                        {
                            specialFiles.Add(string.Join('/', path.Skip(1)));
                        }
                    }

                    break;
            }

            path.RemoveAt(path.Count - 1);
        }
    }

    // Null if the link leads to a special file.
    private LayerTree.Node? Resolve(LayerTree.LinkNode link, List<string> path)
    {
        // A chain of links is as long as it has members; one that comes round has no end.
        HashSet<LayerTree.LinkNode>? passed = null;
        LayerTree.Node? target = link;
        while (target is LayerTree.LinkNode next)
        {
            if (next.Resolved is { } known)
            {
                target = known;
                break;
            }

            if (!(passed ??= []).Add(next))
            {
                throw new ContainerException($"hard link '{string.Join('/', path)}' leads round in a circle");
            }

            target = FindTarget(next.Target);
            link = next;
        }

        if (target is null)
        {
            if (specialFiles.Contains(string.Join('/', link.Target)))
            {
                return null;
            }

            target = BeneathLayer(link, path);
        }

        foreach (var passedBy in passed ?? Enumerable.Empty<LayerTree.LinkNode>())
        {
            passedBy.Resolved = target;
        }

        return Linked(target);
    }

    private LayerTree.LinkNode BeneathLayer(LayerTree.LinkNode link, List<string> path)
    {
        if (Map(link.Target) is { } place)
        {
            return Beneath(place);
        }

        var name = string.Join('/', link.Target);
        return name.StartsWith(LayerPath.RepositoryPrefix, StringComparison.Ordinal)
            ? Beneath(link.Target)
            : throw new ContainerException($"hard link '{string.Join('/', path)}' leads to '{name}', which is not in the layer");
    }

    private static LayerTree.LinkNode Beneath(string[] target)
    {
        var link = new LayerTree.LinkNode(target);
        link.Resolved = link;
        return link;
    }

    private static LayerTree.Node? Linked(LayerTree.Node? target)
    {
        if (target is LayerTree.FileNode file)
        {
            file.IsLinked = true;
        }

        return target;
    }

    private LayerTree.FileNode WriteFile(FileHeader header, long size, Stream content)
    {
        var node = new LayerTree.FileNode { IsSymlink = header.IsSymlink };
        writers.Write(header, size, content, null, checksum => node.Checksum = checksum);
        return node;
    }

    // What the layer says of a top-level directory, or links to there, came out as that directory's rule wants it.
    private string[]? Map(string[] path)
    {
        if (LayerPath.IsOfAufs(path))
        {
            return null;
        }

        if (LayerPath.TopLevelOf(path) is { } top)
        {
            topLevels.Add(top);
        }

        return paths.Map(path);
    }

    private static string Absolute(string[] path) => "/" + string.Join('/', path);

    private static string[] LinkTarget(TarEntry entry)
    {
        var target = LayerPath.Split(entry.LinkName);
        return target.Length > 0 ? target : throw new ContainerException($"hard link '{entry}' has no target");
    }

    private static FileHeader Header(TarEntry entry)
    {
        var (uid, gid) = TarOwner.Of(entry);
        return entry.Type == TarEntryType.SymbolicLink
            ? FileHeader.Symlink(uid, gid, TarOwner.Target(entry), LayerXattrs.Of(entry))
            : FileHeader.Regular(uid, gid, entry.Mode, LayerXattrs.Of(entry));
    }

    private static DirMeta DirectoryMeta(TarEntry entry)
    {
        var (uid, gid) = TarOwner.Of(entry);
        return new DirMeta(uid, gid, 0x4000 | entry.Mode, LayerXattrs.Of(entry));
    }

    private sealed class Unplaced(FileHeader? header, long size, long start)
    {
        internal Unplaced(LayerTree.FileNode node)
            : this(null, 0, 0) => Node = node;

        internal FileHeader? Header => header;

        internal long Size => size;

        internal long Start => start;

        internal LayerTree.FileNode? Node { get; set; }
    }
}
