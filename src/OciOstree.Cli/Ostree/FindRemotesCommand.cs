using System.CommandLine;
using System.Globalization;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class FindRemotesCommand
{
    public static Command Create()
    {
        var cacheDir = Opts.Value("--cache-dir", "DIR", "Use custom cache dir");
        var disableFsync = Opts.Flag("--disable-fsync", "Do not invoke fsync()");
        var finders = Opts.Value("--finders", "FINDERS", "Use the specified comma separated list of finders (config, mount)");
        var pull = Opts.Flag("--pull", "Pull the updates after finding them");
        var mirror = Opts.Flag("--mirror", "Do a mirror pull (see ostree pull --mirror)");
        return new OstreeVerb("find-remotes", "Find remotes to serve the given refs", "COLLECTION-ID REF [COLLECTION-ID REF...]",
            "ostree find-remotes --repo=/ostree/repo --pull org.example.Os os/stable")
        {
            cacheDir, disableFsync, finders, pull, mirror,
        }.Does((OstreeCall call) =>
        {
            List<CollectionRef> refs = CollectionRefWords.Parse(call, 0);
            if (call.Get(mirror) && !call.Get(pull))
                throw new UsageException("When --mirror is specified, --pull must also be", withHelp: true);
            RemoteFinder[] chosen = [.. Finders(call.Get(finders))];
            if (call.Get(disableFsync))
                call.Repo.DisableFsync();
            using PullProgress progress = new(0);
            RemoteSearch search = new(call.Repo, refs, new RemotePullOptions
            {
                Mirror = call.Get(mirror),
                CacheDirectory = call.Get(cacheDir),
                UserAgent = PullCommand.UserAgent,
                Progress = progress.Report,
            });
            IReadOnlyList<FoundRemote> found = search.Find(chosen, Entry.Cancellation);
            // What listings say nothing of: a remote may be missing among them for a reason that can be mended.
            foreach (string reason in search.Ignored)
                Console.Error.WriteLine($"warning: ignoring remote {reason}");
            for (int i = 0; i < found.Count; i++)
                Print(call, i, found[i]);
            if (found.Count == 0)
            {
                call.Print("No results.");
                return;
            }
            HashSet<CollectionRef> had = [.. found.SelectMany(remote => remote.Refs).Where(r => r.Value is not null).Select(r => r.Key)];
            call.Print($"{had.Count}/{refs.Count} refs were found.");
            if (had.Count != refs.Count)
            {
                call.Print("Refs not found in any remote:");
                foreach (CollectionRef missing in refs.Where(r => !had.Contains(r)))
                    call.Print($" - ({missing.CollectionId}, {missing.Name})");
            }
            if (!call.Get(pull))
                return;
            search.Pull(found, Entry.Cancellation);
            progress.Dispose();
            call.Print($"Pulled {refs.Count}/{refs.Count} refs successfully.");
        });
    }

    private static IEnumerable<RemoteFinder> Finders(string? text)
    {
        if (text is null)
            return [new ConfiguredRemoteFinder(), new MountedRemoteFinder()];
        if (text.Length == 0)
            throw new UsageException("List of finders in --finders option must not be empty", withHelp: true);
        List<RemoteFinder> finders = [];
        foreach (string name in text.Split(','))
        {
            RemoteFinder finder = name switch
            {
                "config" => new ConfiguredRemoteFinder(),
                "mount" => new MountedRemoteFinder(),
                "lan" => throw new UsageException("LAN repo finder requested, which needs Avahi; this program cannot browse the network for repositories (use config or mount)", withHelp: false),
                _ => throw Unknown(name),
            };
            if (finders.Any(other => other.Name == finder.Name))
                throw Unknown(name);
            finders.Add(finder);
        }
        return finders;

        static UsageException Unknown(string name) => new($"Unknown or duplicate finder type given in --finders option: ‘{name}’", withHelp: true);
    }

    private static void Print(OstreeCall call, int index, FoundRemote found)
    {
        string modified = found.SummaryLastModified is 0 or > 253402300799 ? "unknown"
            : DateTimeOffset.FromUnixTimeSeconds((long)found.SummaryLastModified).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        call.Print($"Result {index}: {found.Url}");
        call.Print($" - Finder: {found.Finder.Name}");
        call.Print($" - Keyring: {found.Keyring}");
        call.Print($" - Priority: {found.Priority}");
        call.Print($" - Summary last modified: {modified}");
        call.Print(" - Refs:");
        foreach ((CollectionRef name, Checksum? commit) in found.Refs)
            call.Print($"    - ({name.CollectionId}, {name.Name}) = {commit?.ToString() ?? "(not found)"}");
        call.Print("");
    }
}
