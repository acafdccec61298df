namespace OciOstree.Repository;

/// <summary>Paths below a directory, of which only these are wanted. Directories of one pull that are told the same share the instance.</summary>
internal sealed class SubpathSet
{
    private readonly Dictionary<string, SubpathSet?> children = new(StringComparer.Ordinal);

    /// <summary>The set of some absolute paths; null, which means everything, if there are none or the root is among them.</summary>
    public static SubpathSet? Of(IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
            return null;
        SubpathSet root = new();
        foreach (string path in paths)
        {
            if (!path.StartsWith('/'))
                throw new RepositoryException($"Subpath {path} is not absolute");
            string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
            if (names.Length == 0)
                return null;
            SubpathSet at = root;
            for (int i = 0; i < names.Length; i++)
            {
                if (at.children.TryGetValue(names[i], out SubpathSet? next) && next is null)
                    break; // everything below is wanted already
                if (i == names.Length - 1)
                    at.children[names[i]] = null;
                else
                    at = at.children[names[i]] = next ?? new SubpathSet();
            }
        }
        return root;
    }

    /// <summary>Whether a name is wanted, and what of it: null is all.</summary>
    public bool Has(string name, out SubpathSet? below) => children.TryGetValue(name, out below);
}
