using OciOstree.Formats.Tar;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Writes a commit as a tar archive: a directory, its files by name, then its subdirectories. What occurs again is a hard link to where it
/// occurred first; all times are the commit's.
/// </summary>
public sealed class TarExport
{
    private readonly Repo repo;
    private readonly TarExportOptions options;
    private readonly TarWriter writer;
    private readonly long timestamp;
    private readonly Dictionary<Checksum, byte[]> written = [];
    private readonly CancellationToken cancellation;

    private TarExport(Repo repo, TarExportOptions options, Stream output, ulong timestamp, CancellationToken cancellation)
    {
        (this.repo, this.options, this.timestamp, this.cancellation) = (repo, options, (long)timestamp, cancellation);
        writer = new TarWriter(output) { FillsLinkField = true };
    }

    /// <summary>Writes the archive to the stream, which stays open.</summary>
    /// <exception cref="RepositoryException">An object is missing or damaged, or the subpath is no directory in the commit.</exception>
    public static void Run(Repo repo, Checksum commit, Stream output, TarExportOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new TarExportOptions();
        Commit value = repo.ReadCommit(commit);
        Checksum tree = value.RootTree, meta = value.RootMeta;
        foreach (string name in (options.Subpath ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!repo.ReadDirTree(tree).TryGetDirectory(name, out DirTreeDirectory directory))
                throw new RepositoryException($"No such directory: {options.Subpath}");
            (tree, meta) = (directory.Tree, directory.Meta);
        }
        try
        {
            var export = new TarExport(repo, options, output, value.Timestamp, cancellation);
            export.WriteDirectory(tree, meta, "");
            export.writer.Finish();
        }
        catch (TarException e)
        {
            throw new RepositoryException($"Exporting {commit}", e);
        }
    }

    private void WriteDirectory(Checksum treeChecksum, Checksum metaChecksum, string path)
    {
        cancellation.ThrowIfCancellationRequested();
        TreeDepth.Check();
        DirMeta meta = repo.ReadDirMeta(metaChecksum);
        string name = options.PathPrefix + path;
        writer.Write(Entry(FileName.ToBytes(name.Length == 0 ? "./" : name), TarEntryType.Directory, meta.Uid, meta.Gid, meta.Mode, meta.Xattrs));
        DirTree tree = repo.ReadDirTree(treeChecksum);
        foreach (DirTreeFile file in tree.Files)
            WriteFile(file, FileName.ToBytes(name + file.Name));
        foreach (DirTreeDirectory directory in tree.Directories)
            WriteDirectory(directory.Tree, directory.Meta, path + directory.Name + "/");
    }

    private void WriteFile(DirTreeFile file, byte[] name)
    {
        using RepoFile stored = repo.OpenFile(file.Checksum);
        FileHeader header = stored.Header;
        TarEntryType type = header.IsSymlink ? TarEntryType.SymbolicLink : TarEntryType.File;
        TarEntry entry = Entry(name, type, header.Uid, header.Gid, header.Mode, header.Xattrs);
        if (header.IsSymlink)
        {
            entry.LinkName = FileName.ToBytes(header.SymlinkTarget);
            writer.Write(entry);
        }
        else if (written.TryGetValue(file.Checksum, out byte[]? first))
        {
            entry.Type = TarEntryType.HardLink;
            entry.LinkName = first;
            entry.Xattrs = [];
            writer.Write(entry);
        }
        else
        {
            written.Add(file.Checksum, name);
            entry.Size = stored.Size;
            writer.Write(entry, stored.Content);
        }
    }

    private TarEntry Entry(byte[] name, TarEntryType type, uint uid, uint gid, uint mode, XattrSet xattrs) => new()
    {
        Name = name,
        Type = type,
        Uid = uid,
        Gid = gid,
        Mode = mode & ModeBits.PermissionMask,
        ModifiedSeconds = timestamp,
        Xattrs = options.SkipXattrs ? [] : [.. xattrs.Items.Select(static xattr => new TarXattr(xattr.Name, xattr.Value))],
    };
}
