using System.CommandLine;
using OciOstree.Container;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Container;

/// <summary><c>provisional-repair analyze-inodes|repair</c>: what an old ostree's mistake with inode numbers may have left behind.</summary>
internal static class RepairVerbs
{
    public static Verb Group() => new("provisional-repair", "Find and repair images that an old ostree merged wrongly", "oci-ostree provisional-repair repair --dry-run") { AnalyzeInodes(), Repair() };

    private static Command AnalyzeInodes()
    {
        var result = Result();
        return new Verb("analyze-inodes", "Look for objects whose inode numbers collide in 32 bits", "oci-ostree provisional-repair analyze-inodes --repo=/ostree/repo") { result }.Does(parsed =>
        {
            using var repo = StoreCommands.OpenRepo(parsed);
            var check = Check(repo, parsed.GetValue(Globals.Verbose));
            Write(parsed.GetValue(result), RepairInodes.From(check), RepairJson.Default.RepairInodes);
            if (check.Collisions.Count == 0)
            {
                Console.Out.WriteLine("OK: No colliding objects found.");
            }
            else
            {
                Console.Error.WriteLine($"warning: {check.Collisions.Count} potentially colliding inodes found");
            }
        });
    }

    private static Command Repair()
    {
        var sysrootPath = Opts.Value("--sysroot", "PATH", "Path to the sysroot");
        var dryRun = Opts.Flag("--dry-run", "Do not mutate any system state");
        var result = Result();
        return new Verb("repair", "Forget images that were merged wrongly, so that the next pull makes them again", "oci-ostree provisional-repair repair --sysroot=/ --dry-run")
        {
            sysrootPath, dryRun, result,
        }.Does(parsed =>
        {
            var root = parsed.GetValue(sysrootPath) ?? Sysroot.Sysroot.DefaultPath;
            if (!parsed.GetValue(dryRun))
            {
                BootedSystem.MakeWritable(root);
            }

            using var sysroot = SysrootAt.Open(root, new SysrootOptions());
            var inodes = Check(sysroot.Repo, parsed.GetValue(Globals.Verbose));
            Console.Out.WriteLine($"ostree inode check:\n  64bit inodes: {inodes.Inode64}\n  32 bit inodes: {inodes.Inode32}\n  collisions: {inodes.Collisions.Count}\n");
            if (inodes.Collisions.Count == 0)
            {
                Console.Out.WriteLine("OK no colliding inodes found");
                Write(parsed.GetValue(result), new RepairResult(false, RepairInodes.From(inodes), [], false), RepairJson.Default.RepairResult);
                return;
            }

            Console.Out.WriteLine($"Verifying ostree-container images: {new ImageStore(sysroot.Repo).List().Count}");
            var corrupted = new ImageRepair(sysroot.Repo).FindCorrupted(Entry.Cancellation);
            var commits = corrupted.Select(image => image.Stored.MergeCommit).ToHashSet();
            var booted = sysroot.Booted is { } running && commits.Contains(running.Commit);
            var staged = sysroot.Staged is { } next && commits.Contains(next.Commit);
            foreach (var (image, _) in corrupted)
            {
                Console.Error.WriteLine($"warning: Corrupted image {image}");
            }

            foreach (var (which, isCorrupted) in new[] { ("booted", booted), ("staged", staged) })
            {
                if (isCorrupted)
                {
                    Console.Error.WriteLine($"warning: {which} deployment is likely corrupted");
                }
            }

            Write(parsed.GetValue(result), new RepairResult(booted, RepairInodes.From(inodes), [.. corrupted.Select(image => image.Image.ToString())], staged), RepairJson.Default.RepairResult);
            if (corrupted.Count == 0)
            {
                Console.Out.WriteLine("OK no corruption found");
            }
            else if (parsed.GetValue(dryRun))
            {
                throw new ContainerException($"Found corruption in images: {corrupted.Count}");
            }
            else
            {
                foreach (var (image, _) in corrupted)
                {
                    Console.Error.WriteLine($"Flushing cached state for corrupted merged image: {image}");
                    new ImageStore(sysroot.Repo).Remove(image);
                }

                if (booted || staged)
                {
                    throw new ContainerException("a corrupted image is deployed: pull and deploy it again, and reboot");
                }
            }
        });
    }

    private static Option<string?> Result() => Opts.Value("--write-result-to", "FILE", "Serialize the repair result to this file as JSON");

    private static InodeCheck Check(Repo repo, bool verbose)
    {
        Console.Out.WriteLine("""
            Attempting analysis of ostree state for files that may be incorrectly linked.
            For more information, see https://github.com/ostreedev/ostree/pull/2874/commits/de6fddc6adee09a93901243dc7074090828a1912

            Gathering inodes for ostree objects...
            """);
        return InodeCheck.Run(repo, verbose
            ? (inode, checksum, other) => Console.Error.WriteLine($"collision:\n  inode (>32 bit): {inode}\n  object: {checksum}\n  inode (truncated): {(uint)inode}\n  object: {other}\n")
            : null);
    }

    private static void Write<T>(string? path, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        if (path is not null)
        {
            ResultFile.Write(path, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value, type));
        }
    }
}
