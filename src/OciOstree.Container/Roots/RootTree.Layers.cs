using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Registry;

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
        var temporary = LinuxDirectory.Open(System.IO.Path.GetTempPath());
        var spool = new ContentSpool(temporary);
        var held = new Spooled(temporary, spool);
        try
        {
            for (var index = 0; index < manifest.Layers.Count; index++)
            {
                var diffId = index < config.DiffIds.Count ? config.DiffIds[index] : default;
                ReadLayer(source, new PlannedLayer(manifest.Layers[index], diffId, LayerKind.Derived, "", null), new LayerReader(root, index, spool, wanted), progress ?? TransferProgress.None, cancellationToken);
            }

            return new RootTree(root, node => node.Content is long start ? spool.Open(start, node.Size) : node.Size == 0 ? Stream.Null : null, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static void ReadLayer(IImageSource source, PlannedLayer layer, LayerReader reader, ITransferProgress progress, CancellationToken cancellationToken)
    {
        try
        {
            using var download = new LayerDownload(source, layer, progress, cancellationToken);
            try
            {
                var tar = new TarReader(download.Reader);
                while (tar.Next() is { } entry)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    reader.Read(entry, tar.Content);
                }

                download.Finish();
            }
            catch (Exception e) when (e is FormatException or ContainerException && download.FindCause() is { } cause)
            {
                throw new PipeBrokenException(cause);
            }
        }
        catch (PipeBrokenException e) when (e.InnerException is OperationCanceledException)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e) when (e is FormatException or ContainerException or IOException)
        {
            throw new ContainerException($"Reading layer {layer.Descriptor.Digest}", e is PipeBrokenException { InnerException: { } cause } ? cause : e);
        }
    }

    private sealed class Spooled(LinuxDirectory directory, ContentSpool spool) : IDisposable
    {
        public void Dispose()
        {
            spool.Dispose();
            directory.Dispose();
        }
    }

    /// <summary>Lays one layer over those beneath.</summary>
    private sealed class LayerReader(RootNode root, int layer, ContentSpool spool, Func<string, bool> wanted)
    {
        // What an ostree layer's paths link to: no part of the root that a machine gets.
        private readonly Dictionary<string, RootNode> objects = new(StringComparer.Ordinal);

        internal void Read(TarEntry entry, Stream content)
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
                return;
            }
            else if (path.Length == 0)
            {
                if (entry.Type == TarEntryType.Directory)
                {
                    Describe(root, entry);
                }
            }
            else if (path[^1].StartsWith(LayerPath.WhiteoutPrefix, StringComparison.Ordinal))
            {
                Hide(path);
            }
            else
            {
                Place(path, name, entry, content);
            }
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
