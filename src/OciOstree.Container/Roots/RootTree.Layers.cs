using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

public sealed partial class RootTree
{
    // Configuration is small; what is larger and wanted is asked for by name.
    private const long MaxObjectToKeep = 64 << 10;

    /// <summary>
    /// Reads all layers of an image, each proven by its digest, as a container engine would lay them over one another. Of the content only what
    /// is asked for is kept, in a file without a name.
    /// </summary>
    /// <param name="wanted">Whether the content of the file at a path (no leading slash) will be asked for.</param>
    /// <exception cref="ContainerException">A layer cannot be had, or makes no sense.</exception>
    public static RootTree FromImage(IImageSource source, Manifest manifest, ImageConfig config, Func<string, bool> wanted, ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        var root = new RootNode(null, "") { Type = FileType.Directory, Permissions = 0x1ed /* rwxr-xr-x */ };
        var spooled = new Spooled();
        try
        {
            foreach (var (layer, index) in LayersOf(manifest, config).Select((layer, index) => (layer, index)))
            {
                var reader = new LayerReader(root, index, spooled.Content, wanted, isPartial: false);
                LayerScan.Run(source, layer, progress ?? TransferProgress.None, cancellationToken, reader.Read);
            }

            return new RootTree(root, spooled.Open, spooled);
        }
        catch
        {
            spooled.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Reads only the wanted files of an image, and of its layers no more than that takes: those with the commit as far as the wanted content,
    /// the others, which say nothing of what they have, whole.
    /// </summary>
    /// <param name="wanted">Whether a path (no leading slash) is wanted.</param>
    /// <exception cref="ContainerException">A layer cannot be had, or makes no sense.</exception>
    public static RootTree PartOfImage(IImageSource source, Manifest manifest, ImageConfig config, Func<string, bool> wanted, ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        progress ??= TransferProgress.None;
        var root = new RootNode(null, "") { Type = FileType.Directory, Permissions = 0x1ed };
        var spooled = new Spooled();
        try
        {
            var layers = LayersOf(manifest, config);
            var ofCommit = layers.Where(layer => layer.Kind != LayerKind.Derived).ToArray();
            CommitLayers? commit = null;
            if (ofCommit.Length > 0)
            {
                commit = new CommitLayers(source, ofCommit, config.Labels.GetValueOrDefault(ImageLabels.Commit), progress, cancellationToken);
                foreach (var (path, checksum) in commit.FindFiles(wanted))
                {
                    var node = root;
                    foreach (var name in path.Split('/'))
                    {
                        node.Type = FileType.Directory;
                        node = node.GetOrAdd(name);
                    }

                    (node.Type, node.Content) = (FileType.RegularFile, checksum);
                }
            }

            for (var index = ofCommit.Length; index < layers.Length; index++)
            {
                var reader = new LayerReader(root, index, spooled.Content, wanted, isPartial: true);
                LayerScan.Run(source, layers[index], progress, cancellationToken, reader.Read);
            }

            var left = root.Walk().Where(node => node.Content is Checksum).ToLookup(node => (Checksum)node.Content!);
            commit?.ReadFiles(left.Select(group => group.Key).ToHashSet(), (checksum, header, size, content) =>
            {
                var start = header.IsSymlink || size == 0 ? (object?)null : spooled.Content.Add(content);
                foreach (var node in left[checksum])
                {
                    (node.Type, node.Permissions) = (FileStatus.TypeOf(header.Mode), header.Mode & ModeBits.PermissionMask);
                    (node.Uid, node.Gid, node.Size) = (header.Uid, header.Gid, size);
                    (node.LinkTarget, node.Content) = (header.IsSymlink ? header.SymlinkTarget : null, start);
                }
            });
            return new RootTree(root, spooled.Open, spooled);
        }
        catch
        {
            spooled.Dispose();
            throw;
        }
    }

    private static PlannedLayer[] LayersOf(Manifest manifest, ImageConfig config) =>
        [.. ManifestLayout.Parse(manifest, config).Layers.Select(layer => new PlannedLayer(layer.Descriptor, layer.DiffId, layer.Kind, "", null))];

    /// <summary>The content that was asked for.</summary>
    private sealed class Spooled : IDisposable
    {
        private readonly LinuxDirectory directory = LinuxDirectory.Open(System.IO.Path.GetTempPath());

        internal Spooled() => Content = new ContentSpool(directory);

        internal ContentSpool Content { get; }

        internal Stream? Open(RootNode node) => node.Content is long start ? Content.Open(start, node.Size) : node.Size == 0 ? Stream.Null : null;

        public void Dispose()
        {
            Content.Dispose();
            directory.Dispose();
        }
    }

    /// <summary>Lays one layer over those beneath.</summary>
    private sealed class LayerReader(RootNode root, int layer, ContentSpool spool, Func<string, bool> wanted, bool isPartial)
    {
        // What an ostree layer's paths link to: no part of the root that a machine gets.
        private readonly Dictionary<string, RootNode> objects = new(StringComparer.Ordinal);

        internal bool Read(TarEntry entry, Stream content)
        {
            var path = LayerName.Split(entry.Name);
            var name = string.Join('/', path);
            if (name.StartsWith(LayerPath.RepositoryPrefix, StringComparison.Ordinal) && entry.Type is TarEntryType.File or TarEntryType.SymbolicLink)
            {
                if (name.EndsWith(".file", StringComparison.Ordinal))
                {
                    var node = new RootNode(null, name);
                    Describe(node, entry);
                    Keep(node, content, entry.Size <= MaxObjectToKeep);
                    objects[name] = node;
                }
            }
            else if (name.StartsWith(LayerPath.RepositoryPrefix + "objects/", StringComparison.Ordinal))
            {
                return true;
            }
            else if (path.Length == 0)
            {
                if (entry.Type == TarEntryType.Directory)
                {
                    Describe(root, entry);
                }
            }
            else if (LayerPath.IsWhiteout(path[^1]))
            {
                Hide(path);
            }
            else if (!isPartial || wanted(name))
            {
                Place(path, name, entry, content);
            }
            else if (entry.Type != TarEntryType.Directory)
            {
                // It is in the place of whatever was wanted there before.
                FindLiterally(path[..^1])?.Remove(path[^1]);
            }

            return true;
        }

        private void Place(string[] path, string name, TarEntry entry, Stream content)
        {
            var parent = Parent(path);
            if (entry.Type == TarEntryType.HardLink)
            {
                var target = LayerName.Split(entry.LinkName);
                var found = objects.GetValueOrDefault(string.Join('/', target)) ?? FindLiterally(target);
                if (found is not { IsDirectory: false })
                {
                    throw new ContainerException($"'{name}' is a hard link to '{string.Join('/', target)}', which is no file of the image");
                }

                parent.Remove(path[^1]);
                var link = parent.GetOrAdd(path[^1]);
                link.Become(found);
                link.Layer = layer;
                return;
            }

            if (entry.Type != TarEntryType.Directory)
            {
                parent.Remove(path[^1]);
            }

            var node = parent.GetOrAdd(path[^1]);
            Describe(node, entry);
            node.Layer = layer;
            Keep(node, content, entry.Type == TarEntryType.File && wanted(name));
        }

        private void Keep(RootNode node, Stream content, bool keep)
        {
            if (keep && node is { IsFile: true, Size: > 0 })
            {
                node.Content = spool.Add(content);
            }
        }

        private RootNode? FindLiterally(string[] path)
        {
            RootNode? node = root;
            foreach (var name in path)
            {
                node = node?.Child(name);
            }

            return node;
        }

        private RootNode Parent(string[] path)
        {
            var node = root;
            foreach (var name in path.AsSpan(0, path.Length - 1))
            {
                var known = node.Child(name) is not null;
                node = node.GetOrAdd(name);
                if (!known || !node.IsDirectory)
                {
                    (node.Type, node.Permissions, node.Layer, node.LinkTarget, node.Content) = (FileType.Directory, 0x1ed, layer, null, null);
                }
            }

            return node;
        }

        private void Hide(string[] path)
        {
            var parent = FindLiterally(path[..^1]);
            if (parent is null)
            {
                return;
            }

            if (path[^1] == LayerPath.OpaqueWhiteout)
            {
                foreach (var child in parent.Children.ToArray())
                {
                    RemoveLower(parent, child);
                }
            }
            else if (parent.Child(path[^1][LayerPath.WhiteoutPrefix.Length..]) is { } hidden)
            {
                RemoveLower(parent, hidden);
            }
        }

        // What this layer has itself stays, whichever comes first in it.
        private void RemoveLower(RootNode parent, RootNode node)
        {
            foreach (var child in node.Children.ToArray())
            {
                RemoveLower(node, child);
            }

            if (node.Layer < layer && node.IsEmpty)
            {
                parent.Remove(node.Name);
            }
        }

        private static void Describe(RootNode node, TarEntry entry)
        {
            node.Type = entry.Type switch
            {
                TarEntryType.Directory => FileType.Directory,
                TarEntryType.SymbolicLink => FileType.SymbolicLink,
                TarEntryType.CharacterDevice => FileType.CharacterDevice,
                TarEntryType.BlockDevice => FileType.BlockDevice,
                TarEntryType.Fifo => FileType.Fifo,
                _ => FileType.RegularFile,
            };
            (node.Permissions, node.Uid, node.Gid) = (entry.Mode & ModeBits.PermissionMask, Id(entry.Uid), Id(entry.Gid));
            node.Size = entry.Type == TarEntryType.File ? entry.Size : 0;
            node.LinkTarget = entry.Type == TarEntryType.SymbolicLink ? FileName.FromBytes(entry.LinkName) : null;
            node.Content = null;
        }

        private static uint Id(long id) => id is >= 0 and <= uint.MaxValue ? (uint)id : uint.MaxValue;
    }
}
