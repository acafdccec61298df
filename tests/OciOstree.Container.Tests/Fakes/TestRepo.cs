using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>A repository in a directory of its own, and what can be seen of it.</summary>
internal sealed class TestRepo : IDisposable
{
    private readonly ScratchDirectory scratch = new("container");

    public TestRepo(RepoMode mode = RepoMode.Bare) => Repo = Repo.Create(scratch["repo"], mode);

    public Repo Repo { get; }

    public string Path => scratch["repo"];

    public ScratchDirectory Scratch => scratch;

    public ImportedImage Import(MemoryImage image, string name = "test", ImportOptions? options = null)
    {
        using var importer = new ImageImporter(Repo, Reference(name), options, image);
        var plan = importer.Prepare();
        return plan.Present ?? importer.Import(plan);
    }

    public static OstreeImageReference Reference(string name) => OstreeImageReference.Parse($"ostree-unverified-image:dir:/{name}");

    /// <summary>A small ostree commit with a link, made by our own writer.</summary>
    public Checksum CommitFiles(params (string Path, string Content)[] files)
    {
        using var transaction = Repo.BeginTransaction();
        var meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ed, XattrSet.Empty));
        var root = new MutableTree { Metadata = meta };
        foreach (var (path, content) in files)
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(content);
            var parts = path.Split('/');
            var directory = root;
            foreach (var part in parts[..^1])
            {
                directory = directory.GetOrAddDirectory(part);
                directory.Metadata ??= meta;
            }

            directory.SetFile(parts[^1], transaction.WriteFile(FileHeader.Regular(0, 0, 0x1a4, XattrSet.Empty), bytes.Length, new MemoryStream(bytes)));
        }

        var commit = transaction.WriteCommit(new Commit { RootTree = root.Write(transaction), RootMeta = meta, Timestamp = 1 });
        transaction.Commit();
        return commit;
    }

    /// <summary>The tree of a commit, a line a path: <c>/usr drwxr-xr-x…</c> in short: type, octal mode, owner, then content or target.</summary>
    public SortedDictionary<string, string> Tree(Checksum commit)
    {
        var value = Repo.ReadCommit(commit);
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Walk(value.RootTree, value.RootMeta, "", lines);
        return lines;
    }

    /// <summary>The tree as the golden files list it: path, and the checksum of its object.</summary>
    public SortedDictionary<string, string> Objects(Checksum commit)
    {
        var value = Repo.ReadCommit(commit);
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Objects(value.RootTree, value.RootMeta, "", lines);
        return lines;
    }

    /// <summary>Everything that a failed import must leave alone.</summary>
    public string VisibleState() => string.Join('\n', Repo.ListRefs().Select(line => $"{line.Key} {line.Value}"));

    public void RequireSound() => Tool.Run("ostree", "fsck", "--quiet", $"--repo={Path}").Ok();

    public void Dispose()
    {
        Repo.Dispose();
        scratch.Dispose();
    }

    private void Objects(Checksum tree, Checksum meta, string path, SortedDictionary<string, string> lines)
    {
        lines[path.Length == 0 ? "/" : path] = $"dirmeta {meta}";
        var value = Repo.ReadDirTree(tree);
        foreach (var file in value.Files)
        {
            lines[$"{path}/{file.Name}"] = $"file {file.Checksum}";
        }

        foreach (var directory in value.Directories)
        {
            Objects(directory.Tree, directory.Meta, $"{path}/{directory.Name}", lines);
        }
    }

    private void Walk(Checksum tree, Checksum meta, string path, SortedDictionary<string, string> lines)
    {
        var directoryMeta = Repo.ReadDirMeta(meta);
        lines[path.Length == 0 ? "/" : path] = $"d {Convert.ToString(directoryMeta.Mode & 0xfff, 8)} {directoryMeta.Uid}{Show(directoryMeta.Xattrs)}";
        var value = Repo.ReadDirTree(tree);
        foreach (var file in value.Files)
        {
            using var open = Repo.OpenFile(file.Checksum);
            using var reader = new StreamReader(open.Content);
            var header = open.Header;
            lines[$"{path}/{file.Name}"] = header.IsSymlink
                ? $"l {Convert.ToString(header.Mode & 0xfff, 8)} {header.SymlinkTarget}"
                : $"f {Convert.ToString(header.Mode & 0xfff, 8)} {header.Uid} {reader.ReadToEnd()}{Show(header.Xattrs)}";
        }

        foreach (var directory in value.Directories)
        {
            Walk(directory.Tree, directory.Meta, $"{path}/{directory.Name}", lines);
        }
    }

    private static string Show(XattrSet xattrs) => string.Concat(xattrs.Items.Select(x => $" {System.Text.Encoding.UTF8.GetString(x.Name)}={Convert.ToHexStringLower(x.Value)}"));
}
