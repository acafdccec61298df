using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Writes the commit of a derived layer as an ordinary container layer again: <c>usr/etc</c> as <c>etc</c> unless it came as that, whiteouts as they came, directories that no entry
/// had described without one, files with several names and links to files of lower layers as links.
/// </summary>
internal sealed class DerivedLayerWriter
{
    private readonly Repo repo;
    private readonly TarWriter tar;
    private readonly LayerMetadata metadata;
    private readonly ITransferItem progress;
    private readonly CancellationToken cancellationToken;

    // By path, the group of names that it is one of; by group, the first that was written.
    private readonly Dictionary<string, int> groups = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> written = [];

    private DerivedLayerWriter(Repo repo, Stream output, LayerMetadata metadata, ITransferItem progress, CancellationToken cancellationToken)
    {
        (this.repo, tar, this.metadata, this.progress, this.cancellationToken) = (repo, new TarWriter(output), metadata, progress, cancellationToken);
        for (var group = 0; group < metadata.SameFiles.Count; group++)
        {
            foreach (var path in metadata.SameFiles[group])
            {
                groups[path[1..]] = group;
            }
        }
    }

    internal static LayerJob JobOf(Repo repo, Checksum layer, string name, Descriptor descriptor) => new(
        name, descriptor.Size, 0, [], descriptor.Annotations, (output, item, token) => Write(repo, layer, output, item, token));

    internal static void Write(Repo repo, Checksum layer, Stream output, ITransferItem progress, CancellationToken cancellationToken)
    {
        var commit = repo.ReadCommit(layer);
        var writer = new DerivedLayerWriter(repo, output, LayerMetadata.Read(commit), progress, cancellationToken);
        if (!writer.metadata.ImpliedDirectories.Contains("/"))
        {
            writer.WriteDirectory("./", repo.ReadDirMeta(commit.RootMeta));
        }

        writer.WriteTree("", commit.RootTree);
        foreach (var (path, target) in writer.metadata.Links)
        {
            writer.tar.Write(new TarEntry { Name = writer.Name(path.TrimStart('/')), Type = TarEntryType.HardLink, LinkName = writer.Name(target), Mode = 0x1a4 });
        }

        writer.tar.Finish();
    }

    private void WriteTree(string path, Checksum checksum)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var tree = repo.ReadDirTree(checksum);
        foreach (var file in tree.Files)
        {
            WriteFile(path + file.Name, file.Checksum);
        }

        foreach (var directory in tree.Directories)
        {
            var name = path + directory.Name;
            if (!metadata.ImpliedDirectories.Contains("/" + name))
            {
                WriteDirectory(name, repo.ReadDirMeta(directory.Meta));
            }

            WriteTree(name + "/", directory.Tree);
        }
    }

    private void WriteDirectory(string path, DirMeta meta) => tar.Write(new TarEntry
    {
        Name = Name(path),
        Type = TarEntryType.Directory,
        Mode = meta.Mode & ModeBits.PermissionMask,
        Uid = meta.Uid,
        Gid = meta.Gid,
        Xattrs = XattrsOf(meta.Xattrs),
    });

    private void WriteFile(string path, Checksum checksum)
    {
        using var file = repo.OpenFile(checksum);
        var header = file.Header;
        var entry = new TarEntry { Name = Name(path), Mode = header.Mode & ModeBits.PermissionMask, Uid = header.Uid, Gid = header.Gid, Xattrs = XattrsOf(header.Xattrs) };
        if (groups.TryGetValue(path, out var group) && !written.TryAdd(group, path))
        {
            // Runtimes give the file the mode and owner that its last name comes with, and with a new owner it loses its capabilities.
            (entry.Type, entry.LinkName) = (TarEntryType.HardLink, Name(written[group]));
            tar.Write(entry);
            return;
        }

        if (header.IsSymlink)
        {
            (entry.Type, entry.LinkName) = (TarEntryType.SymbolicLink, FileName.ToBytes(header.SymlinkTarget));
            tar.Write(entry);
            return;
        }

        entry.Size = file.Size;
        tar.Write(entry, file.Content);
        progress.Advance(file.Size);
    }

    // A label belongs to the system that the layers make together, and is put there again at import.
    private static TarXattr[] XattrsOf(XattrSet xattrs) =>
        [.. xattrs.Items.Select(xattr => new TarXattr(xattr.Name, xattr.Value)).Where(xattr => !xattr.Name.AsSpan().SequenceEqual("security.selinux"u8))];

    private byte[] Name(string path) => FileName.ToBytes(path switch
    {
        _ when metadata.UsrEtc.Contains("/" + path) => path,
        "usr/etc" or "usr/.wh.etc" => path["usr/".Length..],
        _ when path.StartsWith("usr/etc/", StringComparison.Ordinal) => path["usr/".Length..],
        _ => path,
    });
}
