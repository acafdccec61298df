using System.Text;
using OciOstree.Formats.Compression;
using OciOstree.Formats.Tar;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests.Encapsulation;

/// <summary>A place for a repository and for images, and the images that ostree-ext made.</summary>
public sealed class EncapsulationFixture : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("oci-ostree-encapsulate-");

    internal string this[string name] => Path.Combine(root.FullName, name);

    internal Repo CreateRepo(string name = "repo", RepoMode mode = RepoMode.Archive) => Repo.Create(this[name], mode);

    internal static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", name);

    /// <summary>Unpacks one of the golden archives as an OCI layout.</summary>
    internal ImageReference UnpackGolden(string name)
    {
        string target = this[name];
        if (!Directory.Exists(target))
        {
            using FileStream archive = File.OpenRead(Golden(name + ".ociarchive"));
            var reader = new TarReader(archive);
            while (reader.Next() is { } entry)
            {
                string path = Path.Combine(target, entry.ToString());
                if (entry.Type == TarEntryType.Directory)
                {
                    Directory.CreateDirectory(path);
                }
                else
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    using FileStream file = File.Create(path);
                    reader.Content.CopyTo(file);
                }
            }
        }

        return new ImageReference(Transport.Oci, target);
    }

    internal (Manifest Manifest, ImageConfig Config) Read(ImageReference reference)
    {
        using IImageSource source = Images.OpenSource(reference);
        Manifest manifest = source.FetchManifest().Manifest;
        return (manifest, source.FetchConfig(manifest));
    }

    /// <summary>The commit of the golden tree, imported.</summary>
    internal Checksum ImportAlpha(Repo repo)
    {
        using var importer = new ImageImporter(repo, OstreeImageReference.Parse($"ostree-unverified-image:{UnpackGolden("alpha-single")}"));
        Checksum commit = importer.Unencapsulate();
        Assert.Equal(File.ReadAllText(Golden("alpha.commit")).Trim(), commit.ToString());
        return commit;
    }

    /// <summary>Makes an image in a layout of this name.</summary>
    internal EncapsulationResult Encapsulate(Repo repo, Checksum commit, string name, EncapsulateOptions? options = null)
    {
        using IImageDestination destination = Images.OpenDestination(new ImageReference(Transport.Oci, this[name]));
        return Container.Encapsulation.Run(repo, commit, destination, options ?? new EncapsulateOptions(), TransferProgress.None, default);
    }

    /// <summary>Header and name of every entry of a layer, for comparing.</summary>
    internal string List(string layout, Descriptor layer)
    {
        using Stream tar = Decompressor.Open(File.OpenRead(Path.Combine(this[layout], "blobs", "sha256", layer.Digest.Hex)));
        var reader = new TarReader(tar);
        var text = new StringBuilder();
        while (reader.Next() is { } e)
        {
            text.AppendLine($"{reader.Offset} {e.Type} {e} {Encoding.UTF8.GetString(e.LinkName)} {e.Size} {e.Mode} {e.Uid} {e.Gid}");
        }

        return text.ToString();
    }

    /// <summary>A commit of a tree given as path and content; a content that starts with "-> " is a link, a null one a directory.</summary>
    internal static Checksum Commit(Repo repo, IEnumerable<(string Path, string? Content)> files, Dictionary<string, Formats.GVariant.Variant>? metadata = null, string subject = "")
    {
        using RepoTransaction transaction = repo.BeginTransaction();
        Checksum meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ed, XattrSet.Empty));
        Checksum tree = WriteTree(transaction, [.. files], meta);
        var commit = new Commit
        {
            RootTree = tree,
            RootMeta = meta,
            Subject = subject,
            Timestamp = 1_700_000_000,
            Metadata = Formats.GVariant.Variant.Dictionary(metadata ?? []),
        };
        Checksum checksum = transaction.WriteCommit(commit);
        transaction.Commit();
        return checksum;
    }

    private static Checksum WriteTree(RepoTransaction transaction, List<(string Path, string? Content)> files, Checksum meta)
    {
        var own = new List<DirTreeFile>();
        var directories = new List<DirTreeDirectory>();
        foreach (IGrouping<string, (string Path, string? Content)> group in files.GroupBy(f => f.Path.Split('/')[0]))
        {
            if (group.Count() == 1 && group.First().Path == group.Key && group.First().Content is { } content)
            {
                byte[] bytes = Encoding.UTF8.GetBytes(content);
                own.Add(new DirTreeFile(group.Key, content.StartsWith("-> ", StringComparison.Ordinal)
                    ? transaction.WriteSymlink(FileHeader.Symlink(0, 0, content[3..], XattrSet.Empty))
                    : transaction.WriteFile(FileHeader.Regular(0, 0, 0x1a4, XattrSet.Empty), bytes.Length, new MemoryStream(bytes))));
            }
            else
            {
                List<(string, string?)> inner = [.. group.Where(f => f.Path != group.Key).Select(f => (f.Path[(group.Key.Length + 1)..], f.Content))];
                directories.Add(new DirTreeDirectory(group.Key, WriteTree(transaction, inner, meta), meta));
            }
        }

        return transaction.WriteDirTree(DirTree.From(own, directories));
    }

    public void Dispose() => root.Delete(recursive: true);
}
