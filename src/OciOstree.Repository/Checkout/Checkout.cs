using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Lays commits out as directories.</summary>
public static class Checkout
{
    /// <summary>Checks a commit out as <paramref name="name"/> in <paramref name="parent"/>.</summary>
    /// <remarks>
    /// Directories are made with mode 0700 and get their own mode, owner and time when all in them is there. A failure leaves what was made so far.
    /// </remarks>
    /// <exception cref="RepositoryException">An object is missing or damaged, or something cannot be made as it must be.</exception>
    public static void Run(Repo repo, Checksum commit, LinuxDirectory parent, string name, CheckoutOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new CheckoutOptions();
        if (options is { ForceCopy: true, RequireHardLinks: true })
            throw new RepositoryException("Cannot both require hard links and force copies");
        if (options is { Labeler: not null, ForceCopy: false })
            throw new RepositoryException("Labels can be set on copies only");
        if (options is { Overwrite: OverwriteMode.UnionIdentical, RequireHardLinks: false })
            throw new RepositoryException("Only a checkout that requires hard links can tell identical files");

        Commit value = repo.ReadCommit(commit);
        try
        {
            using var run = new CheckoutRun(repo, options, cancellation);
            Checksum tree = value.RootTree, meta = value.RootMeta;
            string[] subpath = (options.Subpath ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
            for (int i = 0; i < subpath.Length; i++)
            {
                DirTree contents = repo.ReadDirTree(tree);
                if (contents.TryGetDirectory(subpath[i], out DirTreeDirectory directory))
                {
                    (tree, meta) = (directory.Tree, directory.Meta);
                    continue;
                }
                if (i == subpath.Length - 1 && contents.TryGetFile(subpath[i], out Checksum file))
                {
                    run.CheckOutOneFile(parent, name, subpath[i], file);
                    return;
                }
                if (options.AllowMissing)
                    return;
                throw new RepositoryException($"No such file or directory: /{string.Join('/', subpath.Take(i + 1))}");
            }
            run.CheckOutTree(parent, name, tree, meta);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"Checking out {commit}", e);
        }
    }
}
