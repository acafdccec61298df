using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>Finds out whether everything that a commit needs is in the repository.</summary>
internal static class ObjectCheck
{
    /// <summary>The first object found missing; null if the commit is whole.</summary>
    internal static ObjectName? FindMissing(Repo repo, Checksum commit, bool metadataOnly = false)
    {
        var name = new ObjectName(commit, ObjectType.Commit);
        return repo.HasObject(name) ? FindMissing(repo, repo.ReadCommit(commit), metadataOnly) : name;
    }

    /// <summary>The same for a commit that need not be there itself.</summary>
    internal static ObjectName? FindMissing(Repo repo, Commit root, bool metadataOnly = false)
    {
        ObjectName name;
        HashSet<Checksum> seen = [];
        var pending = new Stack<(Checksum Tree, Checksum Meta)>([(root.RootTree, root.RootMeta)]);
        while (pending.TryPop(out var directory))
        {
            if (seen.Add(directory.Meta) && !repo.HasObject(name = new ObjectName(directory.Meta, ObjectType.DirMeta)))
            {
                return name;
            }

            if (!seen.Add(directory.Tree))
            {
                continue;
            }

            if (!repo.HasObject(name = new ObjectName(directory.Tree, ObjectType.DirTree)))
            {
                return name;
            }

            var tree = repo.ReadDirTree(directory.Tree);
            foreach (var file in tree.Files)
            {
                // Few files come twice, and remembering millions costs more than looking again.
                if (!metadataOnly && !repo.HasObject(name = new ObjectName(file.Checksum, ObjectType.File)))
                {
                    return name;
                }
            }

            foreach (var child in tree.Directories)
            {
                pending.Push((child.Tree, child.Meta));
            }
        }

        return null;
    }

    /// <summary>The content objects of a commit's tree.</summary>
    internal static HashSet<Checksum> FilesOf(Repo repo, Checksum commit)
    {
        HashSet<Checksum> files = [];
        HashSet<Checksum> seen = [];
        var pending = new Stack<Checksum>([repo.ReadCommit(commit).RootTree]);
        while (pending.TryPop(out var checksum))
        {
            if (!seen.Add(checksum))
            {
                continue;
            }

            var tree = repo.ReadDirTree(checksum);
            files.UnionWith(tree.Files.Select(file => file.Checksum));
            foreach (var directory in tree.Directories)
            {
                pending.Push(directory.Tree);
            }
        }

        return files;
    }
}
