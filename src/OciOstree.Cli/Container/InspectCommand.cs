using System.CommandLine;
using OciOstree.Container;
using OciOstree.Registry;

namespace OciOstree.Cli.Container;

/// <summary><c>inspect</c>: what an image is, without fetching its layers.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var reference = Opts.Required("IMAGE", "Image, such as docker://HOST/NAME:TAG or oci:DIRECTORY:TAG");
        var raw = Opts.Flag("--raw", "Print the manifest, or the index, exactly as stored");
        var config = Opts.Flag("--config", "Print the image configuration exactly as stored");
        var json = Opts.Flag("--json", "Print a summary as JSON");
        var verb = new Verb(
            "inspect",
            "Show what an image is: its digest, platform, labels, layers and the ostree commit in it",
            "oci-ostree inspect docker://quay.io/example/os:stable",
            "oci-ostree inspect --json oci:build:latest")
        {
            reference, raw, config, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            var options = images.Read(parsed);
            if (parsed.GetValue(raw) && (parsed.GetValue(config) || parsed.GetValue(json)))
            {
                throw new UsageException("--raw goes with neither --config nor --json");
            }

            var image = OstreeImageReference.ParseEither(parsed.GetValue(reference)!);
            using var source = Images.OpenSource(image, options);
            if (parsed.GetValue(raw))
            {
                Write(source.FetchRawManifest(null, Entry.Cancellation).Bytes.Span);
                return;
            }

            var fetched = source.FetchManifest(options.Platform, Entry.Cancellation);
            if (parsed.GetValue(config))
            {
                Write(source.ReadBlob(fetched.Manifest.Config, cancellationToken: Entry.Cancellation));
                return;
            }

            var summary = Summary(image, fetched, source.FetchConfig(fetched.Manifest, Entry.Cancellation));
            if (parsed.GetValue(json))
            {
                Output.Json(summary, InspectJson.Default.ImageSummary);
            }
            else
            {
                Print(summary);
            }
        });
    }

    private static ImageSummary Summary(ImageReference image, FetchedManifest fetched, ImageConfig config) => new(
        image.ToString(),
        fetched.Digest.ToString(),
        fetched.IndexDigest?.ToString(),
        fetched.MediaType,
        config.Platform.ToString(),
        config.Created,
        config.Labels.GetValueOrDefault("org.opencontainers.image.version"),
        config.Labels.GetValueOrDefault("ostree.commit"),
        fetched.Manifest.TotalSize,
        config.Labels,
        [.. fetched.Manifest.Layers.Select((layer, i) => new LayerSummary(
            layer.Digest.ToString(),
            i < config.DiffIds.Count ? config.DiffIds[i].ToString() : null,
            layer.MediaType,
            layer.Size,
            layer.Annotations))]);

    private static void Print(ImageSummary summary)
    {
        Console.Out.WriteLine($"Image:    {summary.Image}");
        Console.Out.WriteLine($"Digest:   {summary.Digest}");
        if (summary.IndexDigest is not null)
        {
            Console.Out.WriteLine($"Index:    {summary.IndexDigest}");
        }

        Console.Out.WriteLine($"Platform: {summary.Platform}");
        foreach (var (name, value) in new[] { ("Created", summary.Created), ("Version", summary.Version), ("Commit", summary.OstreeCommit) })
        {
            if (value is not null)
            {
                Console.Out.WriteLine($"{name + ":",-9} {value}");
            }
        }

        Console.Out.WriteLine($"Layers:   {summary.Layers.Count}, {Output.Size(summary.Size)} with the configuration");
        foreach (var layer in summary.Layers)
        {
            Console.Out.WriteLine($"  {layer.Digest}  {Output.Size(layer.Size),9}");
        }

        Console.Out.WriteLine("Labels:");
        foreach (var (name, value) in summary.Labels)
        {
            Console.Out.WriteLine($"  {name}: {value.ReplaceLineEndings(" ")}");
        }
    }

    private static void Write(ReadOnlySpan<byte> bytes)
    {
        using var output = Console.OpenStandardOutput();
        output.Write(bytes);
    }
}
