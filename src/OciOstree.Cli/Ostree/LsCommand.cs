using System.CommandLine;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class LsCommand
{
    private const uint TypeMask = 0xF000, TypeDirectory = 0x4000;

    public static Command Create()
    {
        var directoryOnly = Opts.Flag("--dironly", "Do not recurse into directory arguments", "-d");
        var recursive = Opts.Flag("--recursive", "Print directories recursively", "-R");
        var checksums = Opts.Flag("--checksum", "Print checksum", "-C");
        var xattrs = Opts.Flag("--xattrs", "Print extended attributes", "-X");
        var namesOnly = Opts.Flag("--nul-filenames-only", "Print only filenames, NUL separated");
        return new OstreeVerb("ls", "List file paths", "COMMIT [PATH...]", "ostree ls --repo=/srv/repo -R main /usr/bin") { directoryOnly, recursive, checksums, xattrs, namesOnly }.Does((OstreeCall call) =>
        {
            call.Need(1, "An COMMIT argument is required");
            var tree = new RepoTree(call.Repo, call.Repo.ResolveRequired(call.Words[0]));
            var listing = new Listing(call, call.Get(checksums), call.Get(xattrs), call.Get(namesOnly));
            int depth = call.Get(recursive) ? int.MaxValue : call.Get(directoryOnly) ? 0 : 1;
            if (call.Words.Count == 1)
                listing.Print(tree.Root, depth);
            foreach (string path in call.Words.Skip(1))
            {
                try
                {
                    listing.Print(tree.Resolve(path), depth);
                }
                catch (RepositoryException e)
                {
                    throw new RepositoryException($"Inspecting path '{path}'", e);
                }
            }
        });
    }

    private sealed class Listing(OstreeCall call, bool checksums, bool xattrs, bool namesOnly)
    {
        public void Print(RepoNode node, int depth)
        {
            PrintOne(node);
            if (!node.IsDirectory || depth == 0)
                return;
            DirTree tree = call.Repo.ReadDirTree(node.Content);
            foreach (DirTreeFile file in tree.Files)
                PrintOne(new RepoNode(node.ChildPath(file.Name), file.Checksum, null));
            foreach (DirTreeDirectory directory in tree.Directories)
                Print(new RepoNode(node.ChildPath(directory.Name), directory.Tree, directory.Meta), depth - 1);
        }

        private void PrintOne(RepoNode node)
        {
            if (namesOnly)
            {
                call.Out.Write(node.Path);
                call.Out.Write('\0');
                return;
            }
            FileHeader header;
            long size = 0;
            if (node.Meta is { } checksum)
            {
                DirMeta meta = call.Repo.ReadDirMeta(checksum);
                header = new FileHeader(meta.Uid, meta.Gid, meta.Mode, "", meta.Xattrs);
            }
            else
            {
                header = call.Repo.ReadFileHeader(node.Content, out size);
            }
            char type = (header.Mode & TypeMask) == TypeDirectory ? 'd' : header.IsSymlink ? 'l' : '-';
            TextWriter output = call.Out;
            output.Write($"{type}0{Convert.ToString(header.Mode & ~TypeMask, 8).PadLeft(4, '0')} {header.Uid} {header.Gid} {size,6} ");
            if (checksums)
            {
                output.Write($"{node.Content} ");
                if (node.Meta is { } meta)
                    output.Write($"{meta} ");
            }
            if (xattrs)
                output.Write($"{{ {Variant.FromBytes("a(ayay)", header.Xattrs.Serialized).Print()} }} ");
            output.Write(node.Path);
            if (header.IsSymlink)
                output.Write($" -> {header.SymlinkTarget}");
            output.Write('\n');
        }
    }
}
