using System.CommandLine;
using OciOstree.Container;
using OciOstree.Linux;
using OciOstree.Registry;

namespace OciOstree.Cli.Container;

/// <summary><c>container image replace-detached-metadata</c>: a signature for the commit in an image that is there already.</summary>
internal static class ReplaceDetachedMetadataCommand
{
    // A few signatures.
    private const long MaxSize = 16 << 20;

    public static Command Create()
    {
        var source = Opts.Value("--src", "IMGREF", "The image");
        var destination = Opts.Value("--dest", "IMGREF", "Where the changed image goes");
        var contents = Opts.Optional("CONTENTS", "File with the new detached metadata (as objects/*.commitmeta); without it, what there is is removed");
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print the changed image as JSON");
        var verb = new Verb(
            "replace-detached-metadata",
            "Replace the detached metadata (e.g. to add a signature)",
            "oci-ostree container image replace-detached-metadata --src=docker://quay.io/example/os:1 --dest=docker://quay.io/example/os:1-signed signed.commitmeta")
        {
            source, destination, contents, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            if (parsed.GetValue(source) is not { } from || parsed.GetValue(destination) is not { } to)
            {
                throw new UsageException("--src=IMGREF and --dest=IMGREF are required");
            }

            var metadata = parsed.GetValue(contents) is { } path ? Files.ReadNamed(path, MaxSize) : null;
            var options = images.Read(parsed);
            using var image = Images.OpenSource(OstreeImageReference.ParseEither(from), options);
            using var changed = Images.OpenDestination(OstreeImageReference.ParseEither(to), options);
            var digest = TransferBars.Run(progress => DetachedMetadata.Replace(image, changed, metadata, options.Platform, progress, Entry.Cancellation), parsed.GetValue(quiet));
            if (parsed.GetValue(json))
            {
                Output.Json(new WrittenImage(changed.Reference.ToString(), digest.ToString(), changed.BytesSent, changed.BytesSkipped), ImageJsonContext.Default.WrittenImage);
                return;
            }

            Console.Out.WriteLine($"Pushed: {digest}");
        });
    }
}
