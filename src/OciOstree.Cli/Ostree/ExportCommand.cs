using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class ExportCommand
{
    public static Command Create()
    {
        var noXattrs = Opts.Flag("--no-xattrs", "Skip output of extended attributes");
        var subpath = Opts.Value("--subpath", "PATH", "Checkout sub-directory PATH");
        var prefix = Opts.Value("--prefix", "PATH", "Add PATH as prefix to archive pathnames");
        var target = Opts.Value("--output", "PATH", "Output to PATH ", "-o");
        return new OstreeVerb("export", "Stream COMMIT to stdout in tar format", "COMMIT", "ostree export --repo=/srv/repo main | tar tv") { noXattrs, subpath, prefix, target }.Does((OstreeCall call) =>
        {
            call.Need(1, "A COMMIT argument is required");
            Checksum commit = call.Repo.ResolveRequired(call.Words[0]);
            using Stream output = call.Get(target) is { } file ? File.Create(file) : Console.OpenStandardOutput();
            TarExport.Run(call.Repo, commit, output, new TarExportOptions
            {
                Subpath = call.Get(subpath),
                PathPrefix = call.Get(prefix) ?? "",
                SkipXattrs = call.Get(noXattrs),
            }, Entry.Cancellation);
        });
    }
}
