using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class DiffCommand
{
    public static Command Create()
    {
        var stats = Opts.Flag("--stats", "Print various statistics");
        var files = Opts.Flag("--fs-diff", "Print filesystem diff");
        var noXattrs = Opts.Flag("--no-xattrs", "Skip output of extended attributes");
        var uid = Opts.Number("--owner-uid", "UID", "Use file ownership user id for local files");
        var gid = Opts.Number("--owner-gid", "GID", "Use file ownership group id for local files");
        return new OstreeVerb("diff", "Compare directory TARGETDIR against revision REV", "REV_OR_DIR REV_OR_DIR", "ostree diff --repo=/srv/repo main^ main") { stats, files, noXattrs, uid, gid }.Does((OstreeCall call) =>
        {
            call.Need(1, "REV must be specified");
            // One commit is compared with its parent.
            string first = call.Words.Count == 1 ? call.Words[0] + "^" : call.Words[0];
            string second = call.Words.Count == 1 ? call.Words[0] : call.Words[1];
            if (call.Get(files) || !call.Get(stats))
            {
                var options = new TreeDiffOptions { IgnoreXattrs = call.Get(noXattrs), OwnerUid = (uint?)NotNegative(call.Get(uid)), OwnerGid = (uint?)NotNegative(call.Get(gid)) };
                using LinuxDirectory? firstDirectory = OpenDirectory(first);
                using LinuxDirectory? secondDirectory = OpenDirectory(second);
                TreeDiff diff = TreeDiff.Between(Side(call, first, firstDirectory), Side(call, second, secondDirectory), options);
                Print(call, 'M', diff.Modified, firstDirectory is not null);
                Print(call, 'D', diff.Removed, firstDirectory is not null);
                Print(call, 'A', diff.Added, secondDirectory is not null);
            }
            if (call.Get(stats))
                PrintStats(call, first, second);
        });
    }

    private static long? NotNegative(long? id) => id is >= 0 and <= uint.MaxValue ? id : null;

    private static LinuxDirectory? OpenDirectory(string text) => IsPath(text) ? LinuxDirectory.Open(text) : null;

    private static bool IsPath(string text) => text.StartsWith('/') || text.StartsWith("./", StringComparison.Ordinal);

    private static TreeSide Side(OstreeCall call, string text, LinuxDirectory? directory) =>
        directory is null ? TreeSide.OfCommit(call.Repo, call.Repo.ResolveRequired(text)) : TreeSide.OfDirectory(directory);

    // Paths on disk are shown relative to the directory that was named.
    private static void Print(OstreeCall call, char kind, IReadOnlyList<string> paths, bool onDisk)
    {
        foreach (string path in paths)
            call.Print($"{kind}    {(onDisk ? path[1..] : path)}");
    }

    private static void PrintStats(OstreeCall call, string first, string second)
    {
        HashSet<ObjectName> a = call.Repo.Traverse(call.Repo.ResolveRequired(first));
        HashSet<ObjectName> b = call.Repo.Traverse(call.Repo.ResolveRequired(second));
        call.Print($"[A] Object Count: {a.Count}");
        call.Print($"[B] Object Count: {b.Count}");
        a.IntersectWith(b);
        call.Print($"Common Object Count: {a.Count}");
        call.Print($"Common Object Size: {SizeText.Of(a.Sum(call.Repo.StorageSize))}");
    }
}
