using System.CommandLine;
using OciOstree.Container;
using OciOstree.Linux;

namespace OciOstree.Cli.Container;

/// <summary><c>tar import|export</c>: a commit with all of its objects as one stream.</summary>
internal static class TarVerbs
{
    public static Verb Group() => new("tar", "Import and export ostree commits as tar archives", "oci-ostree tar export --repo=repo os > os.tar") { Import(), Export() };

    private static Command Import()
    {
        var path = Opts.Optional("PATH", "Path to a tar archive; if unspecified, will be stdin");
        var json = Opts.Flag("--json", "Print the commit as JSON");
        return new Verb("import", "Import a tar archive with an ostree commit", "oci-ostree tar export --repo=repo os | oci-ostree tar import --repo=/other/repo") { path, json }.Does(parsed =>
        {
            if (parsed.GetValue(path) is null && !Console.IsInputRedirected)
            {
                throw new UsageException("An archive is read from standard input, which is a terminal: name a file, or send one in");
            }

            using var repo = StoreCommands.OpenRepo(parsed);
            using var input = parsed.GetValue(path) is { } name ? new BufferedStream(Files.AsStream(Files.Open(name)), 256 << 10) : Console.OpenStandardInput();
            var commit = CommitArchive.Import(repo, input, Entry.Cancellation).ToString();
            if (parsed.GetValue(json))
            {
                Output.Json(new ImportedCommit(commit, null), ImageJsonContext.Default.ImportedCommit);
                return;
            }

            Console.Out.WriteLine($"Imported: {commit}");
        });
    }

    private static Command Export()
    {
        var rev = Opts.Required("REV", "The ostree ref or commit to export");
        var version = Opts.Number("--format-version", "VERSION", "The format version; must be 1");
        return new Verb("export", "Write a tar archive of an ostree commit to stdout", "oci-ostree tar export --repo=repo os/stable > os.tar") { rev, version }.Does(parsed =>
        {
            if (parsed.GetValue(version) is { } given and not 1)
            {
                throw new UsageException($"format version {given} is not known; 1 is");
            }

            if (!Console.IsOutputRedirected)
            {
                throw new UsageException("An archive on a terminal is of no use: send it to a file or a program, as in \"tar export … > os.tar\"");
            }

            using var repo = StoreCommands.OpenRepo(parsed);
            using var output = Console.OpenStandardOutput();
            CommitArchive.Export(repo, repo.ResolveRequired(parsed.GetValue(rev)!), output, Entry.Cancellation);
        });
    }
}
