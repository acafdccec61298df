using System.CommandLine;
using System.Text;
using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class ExportCommand
{
    // What tar programs read and write at once; libarchive fills the last one up.
    private const int Record = 10240;

    public static Command Create()
    {
        var noXattrs = Opts.Flag("--no-xattrs", "Skip output of extended attributes");
        var subpath = Opts.Value("--subpath", "PATH", "Checkout sub-directory PATH");
        var prefix = Opts.Value("--prefix", "PATH", "Add PATH as prefix to archive pathnames");
        var target = Opts.Value("--output", "PATH", "Output to PATH ", "-o");
        return new OstreeVerb("export", "Stream COMMIT to stdout in tar format", "COMMIT", "ostree export --repo=/srv/repo main | tar tv") { noXattrs, subpath, prefix, target }.Does((OstreeCall call) =>
        {
            call.Need(1, "A COMMIT argument is required");
            var tree = new RepoTree(call.Repo, call.Repo.ResolveRequired(call.Words[0]));
            RepoNode start = call.Get(subpath) is { } path ? tree.Resolve(path) : tree.Root;
            using Stream output = call.Get(target) is { } file ? File.Create(file) : Console.OpenStandardOutput();
            var writer = new TarWriter(output);
            new Export(call.Repo, writer, call.Get(prefix) ?? "", !call.Get(noXattrs), (long)tree.Commit.Timestamp).Write(start, "");
            writer.Finish();
            output.Write(new byte[(Record - writer.Length % Record) % Record]);
        });
    }

    private sealed class Export(Repo repo, TarWriter writer, string prefix, bool withXattrs, long modified)
    {
        public void Write(RepoNode node, string relative)
        {
            if (node.Meta is { } checksum)
            {
                DirMeta meta = repo.ReadDirMeta(checksum);
                string name = prefix + (relative.Length == 0 && prefix.Length == 0 ? "." : relative);
                writer.Write(Entry(TarEntryType.Directory, name.EndsWith('/') ? name : name + "/", new FileHeader(meta.Uid, meta.Gid, meta.Mode, "", meta.Xattrs)));
                DirTree tree = repo.ReadDirTree(node.Content);
                string below = relative.Length == 0 ? "" : relative + "/";
                foreach (DirTreeFile file in tree.Files)
                    WriteFile(file.Checksum, below + file.Name);
                foreach (DirTreeDirectory directory in tree.Directories)
                    Write(new RepoNode(node.ChildPath(directory.Name), directory.Tree, directory.Meta), below + directory.Name);
                return;
            }
            WriteFile(node.Content, node.Path[(node.Path.LastIndexOf('/') + 1)..]);
        }

        private void WriteFile(Checksum checksum, string path)
        {
            using RepoFile file = repo.OpenFile(checksum);
            if (file.Header.IsSymlink)
            {
                TarEntry link = Entry(TarEntryType.SymbolicLink, prefix + path, file.Header);
                link.LinkName = Encoding.UTF8.GetBytes(file.Header.SymlinkTarget);
                writer.Write(link);
                return;
            }
            TarEntry entry = Entry(TarEntryType.File, prefix + path, file.Header);
            entry.Size = file.Size;
            writer.Write(entry, file.Content);
        }

        private TarEntry Entry(TarEntryType type, string name, FileHeader header) => new()
        {
            Name = Encoding.UTF8.GetBytes(name),
            Type = type,
            Mode = header.Mode & 0xFFF,
            Uid = header.Uid,
            Gid = header.Gid,
            ModifiedSeconds = modified,
            Xattrs = withXattrs ? header.Xattrs.Items.Select(static (Xattr x) => new TarXattr(x.Name, x.Value)).ToArray() : [],
        };
    }
}
