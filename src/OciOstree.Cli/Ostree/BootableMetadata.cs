using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>What <c>commit --bootable</c> adds: which kernel a tree has.</summary>
internal static class BootableMetadata
{
    /// <exception cref="RepositoryException">There is no kernel below <c>usr/lib/modules</c>, or more than one.</exception>
    public static Variant Add(Repo repo, Variant metadata, Checksum root)
    {
        string? release = null;
        foreach (DirTreeDirectory directory in Modules(repo, root).Directories)
        {
            if (!repo.ReadDirTree(directory.Tree).TryGetFile("vmlinuz", out _))
                continue;
            if (release is not null)
                throw new RepositoryException("Multiple kernels found in /usr/lib/modules");
            release = directory.Name;
        }
        if (release is null)
            throw new RepositoryException("No kernel found in /usr/lib/modules");
        var keys = new VariantDictionary(metadata)
        {
            ["ostree.bootable"] = Variant.Boolean(true),
            ["ostree.linux"] = Variant.String(release),
        };
        return keys.ToVariant();
    }

    private static DirTree Modules(Repo repo, Checksum root)
    {
        DirTree tree = repo.ReadDirTree(root);
        string path = "";
        foreach (string name in (ReadOnlySpan<string>)["usr", "lib", "modules"])
        {
            path += "/" + name;
            if (!tree.TryGetDirectory(name, out DirTreeDirectory below))
                throw new RepositoryException($"Opening usr/lib/modules: No such file or directory: {path}");
            tree = repo.ReadDirTree(below.Tree);
        }
        return tree;
    }
}
