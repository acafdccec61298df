using System.Security.Cryptography;
using OciOstree.Formats;
using OciOstree.Formats.GVariant;
using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// The commit in an image's ostree layers, of which no more is read than what is asked for takes. What is read is proven by its
/// checksums, from the commit's on, as the blobs' digests are not where a layer is not read to its end.
/// </summary>
internal sealed class CommitLayers
{
    // A system's directories have a few megabytes.
    private const long MaxTreeBytes = 256 << 20;
    private const int MaxDirectories = 1_000_000;
    private const int MaxDepth = 1000;

    // What a layer's components are called that hold the package database, by our packing and by rpm-ostree's.
    private static readonly string[] LikelyComponents = [ComponentGrouping.PackageDatabase, "rpmostree-unpackaged-content", "unpackaged", "Unpackaged content"];

    private readonly IImageSource source;
    private readonly PlannedLayer[] layers;
    private readonly string? expected;
    private readonly ITransferProgress progress;
    private readonly CancellationToken cancellationToken;
    private readonly Dictionary<Checksum, byte[]> trees = [];

    /// <param name="expected">The commit, as the image's configuration names it.</param>
    internal CommitLayers(IImageSource source, IEnumerable<PlannedLayer> layers, string? expected, ITransferProgress progress, CancellationToken cancellationToken) =>
        (this.source, this.layers, this.expected, this.progress, this.cancellationToken) = (source, [.. layers], expected, progress, cancellationToken);

    /// <summary>Set once <see cref="ReadCommit"/> or <see cref="FindFiles"/> has returned.</summary>
    internal (Checksum Checksum, Commit Value)? Commit { get; private set; }

    /// <summary>Reads as far as the commit object, which comes first.</summary>
    internal void ReadCommit() => Scan(layers[0], stopEarly: expected is not null, (entry, found, content) =>
    {
        if (found.Kind == ObjectEntry.EntryKind.Commit)
        {
            TakeCommit(entry, found, content);
        }

        return Commit is null;
    });

    /// <summary>The files at wanted paths, as a container names them, with their objects; reads as far as the commit's directories.</summary>
    internal Dictionary<string, Checksum> FindFiles(Func<string, bool> wanted)
    {
        Dictionary<string, Checksum>? found = null;
        long treeBytes = 0;
        var tried = false;
        Scan(layers[0], stopEarly: expected is not null, (entry, named, content) =>
        {
            switch (named.Kind)
            {
                case ObjectEntry.EntryKind.Commit when Commit is null:
                    TakeCommit(entry, named, content);
                    break;
                case ObjectEntry.EntryKind.DirTree:
                    var bytes = ReadSmall(entry, content, Repo.MaxMetadataSize);
                    if ((treeBytes += bytes.Length) > MaxTreeBytes)
                    {
                        throw new ContainerException($"the commit has more than {MaxTreeBytes >> 20} MiB of directories");
                    }

                    trees[Checksum.Compute(bytes) == named.Checksum ? named.Checksum : throw new ContainerException($"{entry} does not have the checksum that it is named by")] = bytes;
                    break;
                case ObjectEntry.EntryKind.File when !tried:
                    // Where directories come first, this is all of them.
                    tried = true;
                    found = Walk(wanted);
                    break;
            }

            return found is null;
        });
        found ??= Walk(wanted) ?? throw new ContainerException($"layer {layers[0].Descriptor.Digest} has not all directories of the commit");
        trees.Clear();
        return found;
    }

    /// <summary>Reads content objects out of whichever layers have them, the likely ones first.</summary>
    /// <param name="take">Called with the header, the size and the content of each, whose checksum is right once this returns.</param>
    internal void ReadFiles(IReadOnlySet<Checksum> wanted, Action<Checksum, FileHeader, long, Stream> take)
    {
        var missing = wanted.ToHashSet();
        foreach (var layer in layers.Select((layer, index) => (Layer: layer, IsFirst: index == 0))
            .OrderByDescending(pair => IsLikely(pair.Layer)).ThenByDescending(pair => pair.IsFirst).ThenBy(pair => pair.Layer.Descriptor.Size).Select(pair => pair.Layer))
        {
            if (missing.Count == 0)
            {
                return;
            }

            var xattrs = new Dictionary<Checksum, XattrSet>();
            var given = XattrSet.Empty;
            Scan(layer, stopEarly: true, (entry, found, content) =>
            {
                switch (found.Kind)
                {
                    case ObjectEntry.EntryKind.Xattrs:
                        xattrs[found.Checksum] = XattrSet.Parse(ReadSmall(entry, content, 1 << 20));
                        break;
                    case ObjectEntry.EntryKind.XattrsLink:
                        given = entry.Type == TarEntryType.HardLink ? Linked(xattrs, entry) : XattrSet.Parse(ReadSmall(entry, content, 1 << 20));
                        break;
                    case ObjectEntry.EntryKind.File when missing.Remove(found.Checksum):
                        Take(entry, found.Checksum, given, content, take);
                        break;
                }

                return missing.Count > 0;
            });
        }

        if (missing.Count > 0)
        {
            throw new ContainerException($"the image does not hold all of its commit: {missing.First()} is missing");
        }
    }

    private static bool IsLikely(PlannedLayer layer) =>
        layer.Descriptor.Annotations?.GetValueOrDefault(ChunkPlan.ComponentsAnnotation) is { } names
        && names.Split(ChunkPlan.ComponentSeparator).Any(name => LikelyComponents.Contains(name));

    private static XattrSet Linked(Dictionary<Checksum, XattrSet> xattrs, TarEntry entry)
    {
        var target = LayerPath.Split(entry.LinkName);
        var named = target is [.., "xattrs", var hex] && Checksum.TryParse(hex, out var checksum) ? checksum : ObjectEntry.Parse(target).Checksum;
        return xattrs.GetValueOrDefault(named) ?? throw new ContainerException($"the xattrs {named} are missing");
    }

    private static void Take(TarEntry entry, Checksum checksum, XattrSet xattrs, Stream content, Action<Checksum, FileHeader, long, Stream> take)
    {
        var (uid, gid) = TarOwner.Of(entry);
        var header = entry.Type == TarEntryType.SymbolicLink ? FileHeader.Symlink(uid, gid, TarOwner.Target(entry), xattrs) : FileHeader.Regular(uid, gid, entry.Mode, xattrs);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(header.SerializeForChecksum());
        using (var hashed = new HashedContent(header.IsSymlink ? Stream.Null : content, hash))
        {
            take(checksum, header, header.IsSymlink ? 0 : entry.Size, hashed);
            hashed.CopyTo(Stream.Null);
        }

        if (Checksum.FromBytes(hash.GetHashAndReset()) != checksum)
        {
            throw new ContainerException($"{entry} does not have the checksum that it is named by");
        }
    }

    private void TakeCommit(TarEntry entry, ObjectEntry found, Stream content)
    {
        var bytes = ReadSmall(entry, content, Repo.MaxMetadataSize);
        if (Checksum.Compute(bytes) != found.Checksum)
        {
            throw new ContainerException($"{entry} does not have the checksum that it is named by");
        }

        if (expected is not null && found.Checksum.ToString() != expected)
        {
            throw new ContainerException($"the image's commit is {found.Checksum}, not {expected} as its label says");
        }

        Commit = (found.Checksum, OciOstree.Repository.Commit.Parse(bytes));
    }

    /// <summary>Null if a directory is not there (yet).</summary>
    private Dictionary<string, Checksum>? Walk(Func<string, bool> wanted)
    {
        if (Commit is not { } commit)
        {
            throw new ContainerException($"layer {layers[0].Descriptor.Digest} has no commit object before its content");
        }

        Dictionary<string, Checksum> found = new(StringComparer.Ordinal);
        var directories = 0;
        return Visit("", commit.Value.RootTree, 0) ? found : null;

        bool Visit(string path, Checksum checksum, int depth)
        {
            if (++directories > MaxDirectories || depth > MaxDepth)
            {
                throw new ContainerException("the commit has more directories than any system");
            }

            if (!trees.TryGetValue(checksum, out var bytes))
            {
                return false;
            }

            var tree = DirTree.Parse(bytes);
            foreach (var file in tree.Files)
            {
                if (wanted(path + file.Name))
                {
                    found[path + file.Name] = file.Checksum;
                }
            }

            foreach (var directory in tree.Directories)
            {
                var name = depth == 1 && path == "usr/" && directory.Name == "etc" ? "etc/" : $"{path}{directory.Name}/";
                if (!Visit(name, directory.Tree, depth + 1))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private static byte[] ReadSmall(TarEntry entry, Stream content, int limit)
    {
        if (entry.Type != TarEntryType.File || entry.Size > limit)
        {
            throw new ContainerException($"{entry} is not a file of at most {limit} bytes");
        }

        using var bytes = new MemoryStream((int)Math.Min(entry.Size, 1 << 20));
        content.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <param name="stopEarly">Whether what is read proves itself, so that the layer need not be read to its end for its digest.</param>
    /// <param name="visit">False if there is no need to go on.</param>
    private void Scan(PlannedLayer layer, bool stopEarly, Func<TarEntry, ObjectEntry, Stream, bool> visit) =>
        LayerScan.Run(source, layer, progress, cancellationToken, (entry, content) =>
            entry.Type == TarEntryType.Directory || ObjectEntry.Parse(LayerPath.Split(entry.Name)) is var found && (found.Kind == ObjectEntry.EntryKind.None || visit(entry, found, content) || !stopEarly));

    private sealed class HashedContent(Stream content, IncrementalHash hash) : ForwardReadStream
    {
        public override int Read(Span<byte> buffer)
        {
            var count = content.Read(buffer);
            hash.AppendData(buffer[..count]);
            return count;
        }
    }
}
