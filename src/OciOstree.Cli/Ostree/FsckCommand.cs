using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class FsckCommand
{
    public static Command Create()
    {
        var tombstones = Opts.Flag("--add-tombstones", "Add tombstones for missing commits");
        var quiet = Opts.Flag("--quiet", "Only print error messages", "-q");
        var all = Opts.Flag("--all", "Don't stop on first error", "-a");
        var delete = Opts.Flag("--delete", "Remove corrupted objects");
        var bindings = Opts.Flag("--verify-bindings", "Verify ref bindings");
        var backRefs = Opts.Flag("--verify-back-refs", "Verify back-references (implies --verify-bindings)");
        return new OstreeVerb("fsck", "Check the repository for consistency", "", "ostree fsck --repo=/srv/repo") { tombstones, quiet, all, delete, bindings, backRefs }.Does((OstreeCall call) =>
        {
            bool loud = !call.Get(quiet);
            var gate = new Lock();
            bool begun = false;
            FsckResult result = call.Repo.Fsck(new FsckOptions
            {
                KeepGoing = call.Get(all),
                Delete = call.Get(delete),
                AddTombstones = call.Get(tombstones),
                VerifyBindings = call.Get(bindings),
                VerifyBackRefs = call.Get(backRefs),
                Report = Console.Error.WriteLine,
                Done = call.Print,
                // Not on a terminal, ostree tells the first object and the last.
                Progress = (done, total) =>
                {
                    lock (gate)
                    {
                        if (!begun)
                            call.Print($"fsck objects (1/{total}) {100 / total}%");
                        if (done == total && total > 1)
                            call.Print($"fsck objects ({total}/{total}) 100%");
                        begun = true;
                    }
                },
                Stage = line =>
                {
                    if (!loud)
                        return;
                    call.Print(line);
                    call.Out.Flush();
                },
            }, Entry.Cancellation);
            if (!call.Get(tombstones) && result.PartialCommits > 0)
                call.Print($"{result.PartialCommits} partial commits not verified");
            if (result.FoundCorruption)
                throw new RepositoryException("Repository corruption encountered");
            foreach (Checksum broken in result.CommitsBrokenByFsck)
                Console.Error.WriteLine(Broken(call.Repo, broken));
            if (result.CommitsBrokenByFsck.Count > 0)
                throw new RepositoryException($"{result.PartialCommits} partial commits from fsck-detected corruption");
            call.Print($"object fsck of {result.Commits} commits completed successfully - no errors found.");
        });
    }

    // ostree counts them; which they are, and what to do about them, is for its users to find out.
    private static string Broken(Repo repo, Checksum commit)
    {
        string[] refs = [.. repo.ListRefs().Where(entry => entry.Value == commit).Select(entry => entry.Key)];
        return $"Commit {commit}{(refs.Length == 0 ? "" : $" (ref {string.Join(", ", refs)})")} lacks objects: pull it again, or delete what refers to it and prune";
    }
}
