namespace OciOstree.Repository;

public sealed partial class Repo
{
    /// <summary>A commit and every object of its tree.</summary>
    public HashSet<ObjectName> Traverse(Checksum commit)
    {
        HashSet<ObjectName> reachable = [];
        Traverse(commit, 0, reachable);
        return reachable;
    }

    /// <summary>
    /// Adds a commit, its ancestors and every object of their trees to a set. Ancestors that are not here end the walk, for most
    /// repositories have only the latest; directories that are missing from a commit marked as partial are passed over.
    /// </summary>
    /// <param name="depth">How many generations of ancestors; -1 for all.</param>
    /// <param name="commitsOnly">Add the commits without their trees.</param>
    public void Traverse(Checksum commit, int depth, HashSet<ObjectName> reachable, bool commitsOnly = false)
    {
        Checksum? next = commit;
        for (int left = depth; next is { } current; left--)
        {
            ObjectName name = new(current, ObjectType.Commit);
            if (reachable.Contains(name))
            {
                // Seen from another ref, perhaps with less depth than is asked for now.
                next = TryReadMetadata(name) is { } seen ? Commit.Parse(seen).Parent : null;
            }
            else
            {
                if (TryReadMetadata(name) is not { } bytes)
                    return;
                Commit parsed = Commit.Parse(bytes);
                reachable.Add(name);
                if (!commitsOnly)
                {
                    reachable.Add(new ObjectName(parsed.RootMeta, ObjectType.DirMeta));
                    try
                    {
                        TraverseTree(parsed.RootTree, reachable, StateOf(current) != CommitState.Whole);
                    }
                    catch (RepositoryException e)
                    {
                        throw new RepositoryException($"In commit {current}", e);
                    }
                }
                next = parsed.Parent;
            }
            if (left == 0)
                return;
        }
    }

    /// <summary>Adds a directory and everything below it to a set.</summary>
    /// <param name="allowMissing">Pass over dirtrees that are not here.</param>
    public void TraverseTree(Checksum root, HashSet<ObjectName> reachable, bool allowMissing = false)
    {
        Stack<Checksum> pending = new([root]);
        while (pending.TryPop(out Checksum tree))
        {
            ObjectName name = new(tree, ObjectType.DirTree);
            if (!reachable.Add(name))
                continue;
            if (allowMissing && !HasObject(name))
                continue;
            DirTree parsed = ReadDirTree(tree);
            foreach (DirTreeFile file in parsed.Files)
                reachable.Add(new ObjectName(file.Checksum, ObjectType.File));
            foreach (DirTreeDirectory directory in parsed.Directories)
            {
                reachable.Add(new ObjectName(directory.Meta, ObjectType.DirMeta));
                pending.Push(directory.Tree);
            }
        }
    }

    /// <summary>Every object that a ref leads to, refs of collections included.</summary>
    public HashSet<ObjectName> TraverseRefs(int depth, bool commitsOnly = false)
    {
        HashSet<ObjectName> reachable = [];
        foreach (Checksum target in RefTargets())
            Traverse(target, depth, reachable, commitsOnly);
        return reachable;
    }

    internal HashSet<Checksum> RefTargets() => [.. ListRefs().Values, .. ListCollectionRefs(null, RefListing.ExcludeRemotes).Values];
}
