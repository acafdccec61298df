namespace OciOstree.Repository;

/// <summary>The files of a tree by their paths.</summary>
internal static class TreeFiles
{
    /// <summary>Every path, in the order of the tree; directories that are there twice are walked twice.</summary>
    public static IEnumerable<(string Path, Checksum Checksum)> Walk(Repo repo, Checksum root)
    {
        Stack<(string Path, Checksum Tree)> pending = new([("", root)]);
        while (pending.TryPop(out (string Path, Checksum Tree) at))
        {
            DirTree tree = repo.ReadDirTree(at.Tree);
            foreach (DirTreeFile file in tree.Files)
                yield return ($"{at.Path}/{file.Name}", file.Checksum);
            for (int i = tree.Directories.Count - 1; i >= 0; i--)
                pending.Push(($"{at.Path}/{tree.Directories[i].Name}", tree.Directories[i].Tree));
        }
    }
}
