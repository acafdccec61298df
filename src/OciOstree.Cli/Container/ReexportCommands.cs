using System.CommandLine;
using OciOstree.Container;
using OciOstree.Registry;

namespace OciOstree.Cli.Container;

/// <summary><c>container image reexport|push</c>: an image that is in a repository to somewhere else.</summary>
internal static class ReexportCommands
{
    public static void AddTo(Command group)
    {
        group.Add(Reexport());
        group.Add(Push());
    }

    private static Command Reexport()
    {
        var source = Opts.Required("SRC_IMGREF", "Image in the repository, e.g. docker://quay.io/exampleos/exampleos:latest");
        var destination = Opts.Required("DEST_IMGREF", "Where to export it, e.g. docker://quay.io/exampleos/copy:latest or oci-archive:os.ociarchive");
        var (fast, quiet) = Options();
        var verb = new Verb(
            "reexport",
            "Re-export a fetched image: layered images, too, and in the layers that it came in",
            "oci-ostree container image reexport --repo=/ostree/repo docker://quay.io/example/os:stable oci-archive:os.ociarchive")
        {
            source, destination, fast, quiet,
        };
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed =>
            Console.Out.WriteLine($"Exported: {Run(parsed, images, parsed.GetValue(source)!, parsed.GetValue(destination)!, parsed.GetValue(fast), parsed.GetValue(quiet))}"));
    }

    private static Command Push()
    {
        var source = Opts.Required("IMGREF", "Image in the repository");
        var destination = Opts.Optional("DEST_IMGREF", "Where to push it; where it came from, if not given");
        var (fast, quiet) = Options();
        var verb = new Verb(
            "push",
            "Push a fetched image to a registry, in the layers that it came in",
            "oci-ostree container image push --repo=/ostree/repo docker://quay.io/example/os:stable docker://registry.lan/os:stable")
        {
            source, destination, fast, quiet,
        };
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed =>
        {
            var from = parsed.GetValue(source)!;
            Console.Out.WriteLine($"Pushed: {Run(parsed, images, from, parsed.GetValue(destination) ?? from, parsed.GetValue(fast), parsed.GetValue(quiet))}");
        });
    }

    private static (Option<bool> Fast, Option<bool> Quiet) Options() =>
        (Opts.Flag("--compression-fast", "Compress at the fastest level (e.g. gzip level 1)"), Opts.Flag("--quiet", "Don't display progress", "-q"));

    private static Digest Run(ParseResult parsed, ImageOptions images, string source, string destination, bool fast, bool quiet)
    {
        using var repo = StoreCommands.OpenRepo(parsed);
        using var to = Images.OpenDestination(OstreeImageReference.ParseEither(destination), images.Read(parsed));
        return TransferBars.Run(
            progress => OciOstree.Container.Reexport.Run(repo, OstreeImageReference.ParseEither(source), to, new ReexportOptions { CompressFast = fast }, progress, Entry.Cancellation), quiet);
    }
}
