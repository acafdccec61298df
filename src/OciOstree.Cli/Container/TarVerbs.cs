using System.CommandLine;
using OciOstree.Container;

namespace OciOstree.Cli.Container;

/// <summary><c>tar import|export</c>: a commit with all of its objects as one stream.</summary>
internal static class TarVerbs
{
    public static Verb Group() => new("tar", "Import and export ostree commits as tar archives", "oci-ostree tar export --repo=repo os > os.tar") { Import(), Export() };

    private static Command Import()
    {
        var path = Opts.Optional("PATH", "Path to a tar archive; if unspecified, will be stdin");
        return new Verb("import", "Import a tar archive with an ostree commit", "oci-ostree tar export --repo=repo os | oci-ostree tar import --repo=/other/repo") { path }.Does(parsed =>
        {
            using var repo = StoreCommands.OpenRepo(parsed);
            using var input = parsed.GetValue(path) is { } name ? File.OpenRead(name) : Console.OpenStandardInput();
            Console.Out.WriteLine($"Imported: {CommitArchive.Import(repo, input, Entry.Cancellation)}");
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

            using var repo = StoreCommands.OpenRepo(parsed);
            using var output = Console.OpenStandardOutput();
            CommitArchive.Export(repo, repo.ResolveRequired(parsed.GetValue(rev)!), output, Entry.Cancellation);
        });
    }
}
