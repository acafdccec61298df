using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class TreeWriter
{
    /// <summary>Lays the tree of a commit over the tree.</summary>
    /// <remarks>Without modifications only what differs is read at all.</remarks>
    public void AddCommit(Checksum commit)
    {
        Commit value = transaction.Repo.ReadCommit(commit);
        if (modifier == null && !canonical)
        {
            root.Overlay(transaction.Repo, value.RootTree, value.RootMeta);
            return;
        }
        if (ModifyStored(value.RootMeta, "/") is { } meta)
            AddStored(value.RootTree, meta, root, "/");
    }

    // The metadata object that a stored directory gets under a path; null if it is left out.
    private Checksum? ModifyStored(Checksum meta, string path)
    {
        DirMeta stored = transaction.Repo.ReadDirMeta(meta);
        return Modify(path, new FileAttributes(stored.Uid, stored.Gid, stored.Mode)) is { } attributes
            ? WriteDirMeta(attributes, Modify(path, attributes.Mode, skipXattrs ? XattrSet.Empty : stored.Xattrs))
            : null;
    }

    private void AddStored(Checksum tree, Checksum meta, MutableTree target, string path)
    {
        cancellation.ThrowIfCancellationRequested();
        TreeDepth.Check();
        target.Metadata = meta;
        DirTree contents = transaction.Repo.ReadDirTree(tree);
        foreach (DirTreeFile file in contents.Files)
        {
            if (Recommit(file.Checksum, transaction.Repo.ReadFileHeader(file.Checksum, out _), path + file.Name) is { } checksum)
                target.SetFile(file.Name, checksum);
        }
        foreach (DirTreeDirectory directory in contents.Directories)
        {
            if (ModifyStored(directory.Meta, path + directory.Name) is { } modified)
                AddStored(directory.Tree, modified, target.GetOrAddDirectory(directory.Name), path + directory.Name + "/");
        }
    }
}
