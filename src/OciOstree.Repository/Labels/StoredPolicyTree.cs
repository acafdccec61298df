namespace OciOstree.Repository;

/// <summary>A policy in a tree that is in a repository, or in memory.</summary>
internal sealed class StoredPolicyTree(Repo repo, MutableTree root) : IPolicyTree
{
    // The kernel's own limit.
    private const int MaximumLinks = 40;

    public byte[]? TryRead(string path, int limit)
    {
        if (Find(path) is not { File: { } checksum })
            return null;
        using RepoFile file = repo.OpenFile(checksum);
        if (file.Size > limit)
            throw new RepositoryException($"{path} is longer than {limit} bytes");
        byte[] content = new byte[file.Size];
        file.Content.ReadExactly(content);
        return content;
    }

    public bool HasDirectory(string path) => Find(path) is { Directory: not null };

    public IEnumerable<string> FileNames(string path) => Find(path) is { Directory: { } directory } ? directory.Files.Keys : [];

    private Place? Find(string path)
    {
        int links = 0;
        var names = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).AsEnumerable().Reverse());
        var above = new Stack<MutableTree>();
        MutableTree directory = root;
        while (names.TryPop(out string? name))
        {
            if (name == ".")
                continue;
            if (name == "..")
            {
                // As in a chroot, the root is its own parent.
                directory = above.TryPop(out MutableTree? parent) ? parent : root;
                continue;
            }
            if (directory.TryGetDirectory(name) is { } child)
            {
                above.Push(directory);
                directory = child;
                continue;
            }
            if (!directory.TryGetFile(name, out Checksum file))
                return null;
            FileHeader header = repo.ReadFileHeader(file, out _);
            if (!header.IsSymlink)
                return names.Count == 0 ? new Place(null, file) : null;
            if (++links > MaximumLinks)
                throw new RepositoryException($"Too many symbolic links on the way to {path}");
            if (header.SymlinkTarget.StartsWith('/'))
            {
                above.Clear();
                directory = root;
            }
            foreach (string part in header.SymlinkTarget.Split('/', StringSplitOptions.RemoveEmptyEntries).AsEnumerable().Reverse())
                names.Push(part);
        }
        return new Place(directory, null);
    }

    private sealed record Place(MutableTree? Directory, Checksum? File);
}
