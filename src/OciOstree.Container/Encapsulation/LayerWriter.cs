using System.Text;
using OciOstree.Formats.Tar;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Writes the tar stream of a layer in format version 1, byte for byte as ostree-ext 0.15 does: a repository under <c>sysroot/ostree/repo</c> whose
/// objects the paths of the tree are hard links to.
/// </summary>
internal sealed class LayerWriter
{
    private const uint DirectoryMode = 0b111_101_101;
    private const uint FileMode = 0b110_100_100;
    private const uint StickyMode = 0b001_111_111_111;

    private const string RepoPath = "sysroot/ostree/repo";

    private static ReadOnlySpan<byte> RepoConfig => "[core]\nrepo_version=1\nmode=bare-split-xattrs\n"u8;

    private readonly Repo repo;
    private readonly TarWriter tar;
    private readonly HashSet<Checksum> writtenMetadata = [];
    private readonly HashSet<Checksum> writtenXattrs = [];
    private readonly ITransferItem progress;
    private readonly CancellationToken cancellationToken;
    private bool hasVarTmp;

    private LayerWriter(Repo repo, Stream output, ITransferItem progress, CancellationToken cancellationToken)
    {
        this.repo = repo;
        tar = new TarWriter(output);
        this.progress = progress;
        this.cancellationToken = cancellationToken;
    }

    /// <summary>The commit's own layer: the commit, all of its metadata objects and directories, and some content.</summary>
    internal static void WriteBase(
        Repo repo, Checksum commit, IReadOnlyList<ContentObject> content, Stream output, ITransferItem progress, CancellationToken cancellationToken)
    {
        var writer = new LayerWriter(repo, output, progress, cancellationToken);
        writer.WriteCommit(commit);
        writer.WriteContent(content);
        writer.tar.Finish();
    }

    /// <summary>A layer of content only.</summary>
    internal static void WriteChunk(Repo repo, IReadOnlyList<ContentObject> content, Stream output, ITransferItem progress, CancellationToken cancellationToken)
    {
        var writer = new LayerWriter(repo, output, progress, cancellationToken);
        writer.WriteRepository();
        writer.WriteContent(content);
        writer.tar.Finish();
    }

    private void WriteRepository()
    {
        foreach (string path in (ReadOnlySpan<string>)["sysroot", "sysroot/ostree", RepoPath, RepoPath + "/objects"])
        {
            WriteDirectory(path);
        }

        for (int i = 0; i < 256; i++)
        {
            WriteDirectory($"{RepoPath}/objects/{i:x2}");
        }

        foreach (string name in (ReadOnlySpan<string>)["extensions", "refs", "refs/heads", "refs/mirrors", "refs/remotes", "state", "tmp", "tmp/cache"])
        {
            WriteDirectory($"{RepoPath}/{name}");
        }

        WriteFile(RepoPath + "/config", RepoConfig);
    }

    private void WriteCommit(Checksum checksum)
    {
        Commit commit = repo.ReadCommit(checksum);
        DirMeta root = repo.ReadDirMeta(commit.RootMeta);
        WriteDirectory("./", root.Uid, root.Gid, root.Mode);
        WriteRepository();
        WriteMetadata(checksum, ObjectType.Commit);
        // An importer verifies the commit with its detached metadata, so this comes right after it.
        if (repo.ReadCommitMeta(checksum) is { } detached)
        {
            WriteFile(ObjectPath(checksum, "commitmeta"), detached.Data.Span);
        }

        WriteMetadata(commit.RootMeta, ObjectType.DirMeta);
        WriteTree("", commit.RootTree, isShown: true);
        if (!hasVarTmp)
        {
            // /var is empty in a commit, and systemd-tmpfiles does not run in a container.
            WriteDirectory("var/tmp", 0, 0, StickyMode);
        }
    }

    private void WriteTree(string path, Checksum checksum, bool isShown)
    {
        cancellationToken.ThrowIfCancellationRequested();
        WriteMetadata(checksum, ObjectType.DirTree);
        hasVarTmp |= path == "var/tmp";
        foreach (DirTreeDirectory child in repo.ReadDirTree(checksum).Directories)
        {
            WriteMetadata(child.Meta, ObjectType.DirMeta);
            string childPath = path.Length == 0 ? child.Name : $"{path}/{child.Name}";
            // WriteRepository made sysroot already, and a layer must not have an entry twice.
            bool isChildShown = isShown && childPath != "sysroot";
            if (isChildShown)
            {
                DirMeta meta = repo.ReadDirMeta(child.Meta);
                // The slash is a trace of how ostree-ext maps this one path.
                WriteDirectory(childPath == "usr/etc" ? "etc/" : ToContainerPath(childPath), meta.Uid, meta.Gid, meta.Mode);
            }

            WriteTree(childPath, child.Tree, isChildShown);
        }
    }

    private void WriteContent(IReadOnlyList<ContentObject> objects)
    {
        foreach (ContentObject item in objects)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                WriteObject(item);
                progress.Advance(item.Size);
            }
            catch (Exception e) when (e is RepositoryException or IOException or TarException)
            {
                throw new ContainerException($"Writing {item.Paths[0]} (object {item.Checksum})", e);
            }
        }
    }

    private void WriteObject(ContentObject item)
    {
        using RepoFile file = repo.OpenFile(item.Checksum);
        FileHeader header = file.Header;
        WriteXattrs(item.Checksum, header.Xattrs.Serialized.Span);
        var entry = new TarEntry
        {
            Name = Encoding.UTF8.GetBytes(ObjectPath(item.Checksum, "file")),
            Mode = header.Mode & 0xfff,
            Uid = header.Uid,
            Gid = header.Gid,
        };
        if (header.IsSymlink)
        {
            entry.Type = TarEntryType.SymbolicLink;
            entry.LinkName = Encoding.UTF8.GetBytes(header.SymlinkTarget);
            tar.Write(entry);
        }
        else
        {
            entry.Size = file.Size;
            tar.Write(entry, file.Content);
        }

        // An empty file is written again instead of linked: a build that appends to one of its paths would change them all.
        bool isLink = header.IsSymlink || entry.Size > 0;
        byte[] name = entry.Name;
        entry.Size = 0;
        entry.Type = isLink ? TarEntryType.HardLink : TarEntryType.File;
        entry.LinkName = isLink ? name : [];
        foreach (ContentPath path in item.Paths)
        {
            entry.Name = Encoding.UTF8.GetBytes(ToContainerPath(path.ToString()));
            tar.WriteOver(entry);
        }
    }

    /// <summary>The xattrs are a file named by their checksum, to which each object's own name for them is a hard link.</summary>
    private void WriteXattrs(Checksum owner, ReadOnlySpan<byte> xattrs)
    {
        Checksum checksum = Checksum.Compute(xattrs);
        string path = ObjectPath(checksum, "file-xattrs");
        if (writtenXattrs.Add(checksum))
        {
            WriteFile(path, xattrs);
        }

        tar.Write(new TarEntry
        {
            Name = Encoding.UTF8.GetBytes(ObjectPath(owner, "file-xattrs-link")),
            Type = TarEntryType.HardLink,
            LinkName = Encoding.UTF8.GetBytes(path),
            Mode = FileMode,
        });
    }

    private void WriteMetadata(Checksum checksum, ObjectType type)
    {
        // A dirtree and a dirmeta of the same bytes cannot be: checksums of both fit into one set.
        if (writtenMetadata.Add(checksum))
        {
            string suffix = type switch { ObjectType.Commit => "commit", ObjectType.DirTree => "dirtree", _ => "dirmeta" };
            WriteFile(ObjectPath(checksum, suffix), repo.ReadMetadata(new ObjectName(checksum, type)).Span);
        }
    }

    private void WriteDirectory(string path, uint uid = 0, uint gid = 0, uint mode = DirectoryMode) => tar.Write(new TarEntry
    {
        Name = Encoding.UTF8.GetBytes(path),
        Type = TarEntryType.Directory,
        Mode = mode & 0xfff,
        Uid = uid,
        Gid = gid,
    });

    private void WriteFile(string path, ReadOnlySpan<byte> content)
        => tar.Write(new TarEntry { Name = Encoding.UTF8.GetBytes(path), Mode = FileMode, Size = content.Length }, content);

    private static string ObjectPath(Checksum checksum, string suffix)
    {
        string hex = checksum.ToString();
        return $"{RepoPath}/objects/{hex.AsSpan(0, 2)}/{hex.AsSpan(2)}.{suffix}";
    }

    private static string ToContainerPath(string path)
        => path.StartsWith("usr/etc", StringComparison.Ordinal) && (path.Length == 7 || path[7] == '/') ? path["usr/".Length..] : path;
}
