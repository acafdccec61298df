using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.Erofs;
using OciOstree.Formats.Verity;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A stored tree on its way into a composefs image. This thread walks it; files are opened, and digested where that is needed, on all processors.</summary>
internal sealed class ComposefsTree : IDisposable
{
    private const int BatchSize = 64, QueuedBatches = 64;

    // An image is to be a root: there must be something to mount on.
    private static readonly string[] RootDirectories = ["usr", "etc", "boot", "var", "sysroot"];

    private readonly Repo repo;
    private readonly ComposefsVerity verity;
    private readonly CancellationToken cancellation;
    private readonly WorkQueue<(ErofsNode Parent, ArraySegment<DirTreeFile> Files)> queue;
    private readonly ComposefsImage image;
    private readonly Lock gate = new();   // of the image

    private ComposefsTree(Repo repo, DirMeta root, ComposefsVerity verity, CancellationToken cancellation)
    {
        (this.repo, this.verity, this.cancellation) = (repo, verity, cancellation);
        image = new ComposefsImage(root.Mode, root.Uid, root.Gid, XattrsOf(root.Xattrs));
        queue = new("composefs", QueuedBatches, AddFiles);
    }

    /// <summary>Writes the image of a tree, or only digests it if the stream is null.</summary>
    public static Checksum Write(Repo repo, Checksum tree, Checksum meta, ComposefsVerity verity, Stream? output, CancellationToken cancellation)
    {
        try
        {
            using ComposefsTree composefs = new(repo, repo.ReadDirMeta(meta), verity, cancellation);
            DirTree root = composefs.Walk(tree);
            foreach (string name in RootDirectories)
                if (!root.TryGetFile(name, out _) && !root.TryGetDirectory(name, out _))
                    composefs.AddDirectory(composefs.image.Root, name, new DirMeta(0, 0, ModeBits.Directory | 0x1ED, XattrSet.Empty));
            composefs.queue.Finish();
            return Checksum.FromBytes(composefs.image.Write(output));
        }
        catch (Exception e) when (e is ErofsException or LinuxException)
        {
            throw new RepositoryException("Checking out composefs", e);
        }
    }

    public void Dispose() => queue.Dispose();

    // Not by recursion: a stranger's tree may be deeper than a stack.
    private DirTree Walk(Checksum root)
    {
        DirTree first = repo.ReadDirTree(root);
        Stack<(ErofsNode Node, Checksum Tree)> open = new([(image.Root, root)]);
        while (open.TryPop(out (ErofsNode Node, Checksum Tree) directory))
        {
            cancellation.ThrowIfCancellationRequested();
            DirTree tree = directory.Node == image.Root ? first : repo.ReadDirTree(directory.Tree);
            DirTreeFile[] files = [.. tree.Files];
            for (int i = 0; i < files.Length; i += BatchSize)
                queue.Add((directory.Node, new ArraySegment<DirTreeFile>(files, i, Math.Min(BatchSize, files.Length - i))));
            foreach (DirTreeDirectory child in tree.Directories)
                open.Push((AddDirectory(directory.Node, child.Name, repo.ReadDirMeta(child.Meta)), child.Tree));
        }
        return first;
    }

    private ErofsNode AddDirectory(ErofsNode parent, string name, DirMeta meta)
    {
        lock (gate)
            return image.AddDirectory(parent, FileName.ToBytes(name), meta.Mode, meta.Uid, meta.Gid, XattrsOf(meta.Xattrs));
    }

    private void AddFiles((ErofsNode Parent, ArraySegment<DirTreeFile> Files) batch)
    {
        foreach (DirTreeFile file in batch.Files)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                AddFile(batch.Parent, file);
            }
            catch (Exception e) when (e is ErofsException or LinuxException)
            {
                throw new RepositoryException($"Processing {file.Checksum}", e);
            }
        }
    }

    private void AddFile(ErofsNode parent, DirTreeFile file)
    {
        using RepoFile stored = repo.OpenFile(file.Checksum);
        FileHeader header = stored.Header;
        byte[] name = FileName.ToBytes(file.Name);
        ErofsXattr[] xattrs = XattrsOf(header.Xattrs);
        if (header.IsSymlink)
        {
            lock (gate)
                image.AddSymbolicLink(parent, name, header.Mode, header.Uid, header.Gid, xattrs, FileName.ToBytes(header.SymlinkTarget));
            return;
        }
        Span<byte> path = stackalloc byte[Checksum.HexLength + 1 + ".file".Length];
        System.Text.Encoding.ASCII.GetBytes(LoosePath.Of(file.Checksum, ObjectType.File, RepoMode.Bare), path);
        byte[] digest = stored.Size == 0 ? [] : DigestOf(stored);
        lock (gate)
            image.AddFile(parent, name, header.Mode, header.Uid, header.Gid, xattrs, stored.Size, path, digest);
    }

    private byte[] DigestOf(RepoFile stored)
    {
        if (verity == ComposefsVerity.None)
            return [];
        if (stored.Handle is { } handle && FsVerity.TryMeasure(handle) is { } known)
            return known;
        // What is damaged must not get a digest that makes it whole: reading to the end also checks the object.
        return verity == ComposefsVerity.All ? VerityDigest.Compute(stored.Content, cancellation) : [];
    }

    private static ErofsXattr[] XattrsOf(XattrSet set) => set.Count == 0 ? [] : [.. set.Items.Select(static xattr => new ErofsXattr(xattr.Name, xattr.Value))];
}
