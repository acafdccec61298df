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
        source.CompletionSources.Add(StoreCommands.StoredImages);
        var (fast, quiet, json) = Options();
        var verb = new Verb(
            "reexport",
            "Re-export a fetched image: layered images, too, and in the layers that it came in",
            "oci-ostree container image reexport --repo=/ostree/repo docker://quay.io/example/os:stable oci-archive:os.ociarchive")
        {
            source, destination, fast, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed => Run(parsed, images, "Exported", parsed.GetValue(source)!, parsed.GetValue(destination)!, fast, quiet, json));
    }

    private static Command Push()
    {
        var source = Opts.Required("IMGREF", "Image in the repository");
        var destination = Opts.Optional("DEST_IMGREF", "Where to push it; where it came from, if not given");
        source.CompletionSources.Add(StoreCommands.StoredImages);
        var (fast, quiet, json) = Options();
        var verb = new Verb(
            "push",
            "Push a fetched image to a registry, in the layers that it came in",
            "oci-ostree container image push --repo=/ostree/repo docker://quay.io/example/os:stable docker://registry.lan/os:stable")
        {
            source, destination, fast, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed =>
        {
            var from = parsed.GetValue(source)!;
            Run(parsed, images, "Pushed", from, parsed.GetValue(destination) ?? from, fast, quiet, json);
        });
    }

    private static (Option<bool> Fast, Option<bool> Quiet, Option<bool> Json) Options() =>
    (
        Opts.Flag("--compression-fast", "Compress at the fastest level (e.g. gzip level 1)"),
        Opts.Flag("--quiet", "Don't display progress", "-q"),
        Opts.Flag("--json", "Print the image as JSON"));

    private static void Run(ParseResult parsed, ImageOptions images, string done, string source, string destination, Option<bool> fast, Option<bool> quiet, Option<bool> json)
    {
        using var repo = StoreCommands.OpenRepo(parsed);
        var target = OstreeImageReference.ParseEither(destination);
        using var to = Images.OpenDestination(target, images.Read(parsed));
        var digest = TransferBars.Run(
            progress => OciOstree.Container.Reexport.Run(repo, OstreeImageReference.ParseEither(source), to, new ReexportOptions { CompressFast = parsed.GetValue(fast) }, progress, Entry.Cancellation),
            parsed.GetValue(quiet));
        if (parsed.GetValue(json))
        {
            Output.Json(new WrittenImage(target.ToString(), digest.ToString(), to.BytesSent, to.BytesSkipped), ImageJsonContext.Default.WrittenImage);
            return;
        }

        Console.Out.WriteLine($"{done}: {digest}");
    }
}
