using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using OciOstree.Container;
using OciOstree.Formats.Compression;
using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container encapsulate</c>: an image of a commit.</summary>
internal static class EncapsulateCommand
{
    private static readonly Argument<string> Rev = Opts.Required("REV", "The ostree ref or commit to export");
    private static readonly Argument<string> Image = Opts.Required("IMGREF", "Image reference, e.g. registry:quay.io/exampleos/exampleos:latest, oci:DIRECTORY:TAG or oci-archive:FILE");
    private static readonly Option<string[]> Label = Opts.Many("--label", "KEY=VALUE", "Additional labels for the container", "-l");
    private static readonly Option<string[]> CopyMeta = Opts.Many("--copymeta", "KEY", "Propagate an OSTree commit metadata key to container label");
    private static readonly Option<string[]> CopyMetaOpt = Opts.Many("--copymeta-opt", "KEY", "Propagate an optionally-present OSTree commit metadata key to container label");
    private static readonly Option<string[]> Cmd = Opts.Many("--cmd", "WORD", "Corresponds to the Dockerfile CMD instruction; given once for each word of the command");
    private static readonly Option<string?> Config = Opts.Value("--config", "PATH", "Path to a JSON-formatted container configuration (the config property of an OCI image configuration) to start from");
    private static readonly Option<string?> ContentMetaPath = Opts.Value("--contentmeta", "PATH", "Path to a JSON-formatted content meta object that tells which component owns each object; by default the tree's package database tells it");
    private static readonly Option<long?> MaxLayers = Opts.Number("--max-layers", "NUMBER", $"Use at most this many layers; 1 makes a single one (default: {ChunkPlan.DefaultMaxLayers})");
    private static readonly Option<string?> Previous = Opts.Value("--previous-build-manifest", "PATH", "Manifest of an earlier build; components keep the layers that they have there, so that an update moves little");
    private static readonly Option<bool> Fast = Opts.Flag("--compression-fast", "Compress at the fastest level (e.g. gzip level 1)");
    private static readonly Option<string?> Compression = Opts.Value("--compression", "KIND", "gzip (default), zstd or none").Offering("gzip", "zstd", "none");
    private static readonly Option<string?> For = Opts.Value("--platform", "OS/ARCH[/VARIANT]", "Where the image runs (default: what its packages are built for, else this machine)").Offering(ImageOptions.Platforms);
    private static readonly Option<bool> Quiet = Opts.Flag("--quiet", "Do not display progress", "-q");
    private static readonly Option<bool> Json = Opts.Flag("--json", "Print the image and its layers as JSON");

    public static Command Create()
    {
        var verb = new Verb(
            "encapsulate",
            "Wrap an ostree commit into a container image",
            "oci-ostree container encapsulate --repo=repo os/stable registry:quay.io/example/os:stable",
            "oci-ostree container encapsulate --repo=repo --label=env=test --copymeta-opt=buildid os/stable oci:build:latest",
            "oci-ostree inspect --raw oci:build:latest >prior.json; oci-ostree container encapsulate --repo=repo --previous-build-manifest=prior.json os/stable oci:build:latest")
        {
            Rev, Image, Label, CopyMeta, CopyMetaOpt, Cmd, Config, ContentMetaPath, MaxLayers, Previous, Fast, Compression, For, Quiet, Json,
        };
        verb.Aliases.Add("export");
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed => Run(parsed, images.Read(parsed)));
    }

    private static void Run(ParseResult parsed, RegistryOptions registry)
    {
        var options = Read(parsed);
        var reference = ImageReference.Parse(parsed.GetValue(Image)!);
        var started = Stopwatch.GetTimestamp();
        using var repo = StoreCommands.OpenRepo(parsed);
        var commit = repo.ResolveRequired(parsed.GetValue(Rev)!);
        using var destination = Images.OpenDestination(reference, registry);
        var result = TransferBars.Run(
            progress => Encapsulation.Run(repo, commit, destination, options, progress, Entry.Cancellation),
            parsed.GetValue(Quiet));
        if (parsed.GetValue(Json))
        {
            Output.Json(Describe(reference, commit, result, destination), EncapsulatedJson.Default.EncapsulatedImage);
            return;
        }

        // The digest alone, as ostree-ext prints it: scripts take it from here.
        Console.Out.WriteLine(result.Digest);
        if (!parsed.GetValue(Quiet))
        {
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
            Console.Error.WriteLine(
                $"{result.Layers.Count} layers, {Output.Size(result.Manifest.TotalSize)} of {Output.Size(result.Layers.Sum(l => l.UncompressedSize))} uncompressed; "
                + $"{Output.Size(destination.BytesSent)} moved, {Output.Size(destination.BytesSkipped)} there already, in {seconds} s");
        }
    }

    private static EncapsulateOptions Read(ParseResult parsed)
    {
        var maxLayers = parsed.GetValue(MaxLayers) ?? ChunkPlan.DefaultMaxLayers;
        // Container engines refuse to stack more.
        if (maxLayers is < 1 or > 127)
        {
            throw new UsageException($"--max-layers must be from 1 to 127, not {maxLayers}");
        }

        var compression = parsed.GetValue(Compression) switch
        {
            null or "gzip" => CompressionKind.Gzip,
            "zstd" => CompressionKind.Zstd,
            "none" => CompressionKind.None,
            var other => throw new UsageException($"unknown compression '{other}': want gzip, zstd or none"),
        };
        return new EncapsulateOptions
        {
            ContentMeta = ReadFile(parsed, ContentMetaPath, ContentMeta.Parse),
            Previous = ReadFile(parsed, Previous, Manifest.Parse),
            Config = ReadFile(parsed, Config, ContainerConfig.Parse),
            MaxLayers = (int)maxLayers,
            Labels = Labels(parsed.GetValue(Label)!),
            CopyMetadata = parsed.GetValue(CopyMeta)!,
            CopyOptionalMetadata = parsed.GetValue(CopyMetaOpt)!,
            Command = parsed.GetValue(Cmd) is { Length: > 0 } words ? words : null,
            Platform = ImageOptions.PlatformOf(parsed, For),
            Compression = compression,
            CompressionLevel = parsed.GetValue(Fast) ? 1 : 0,
        };
    }

    private static T? ReadFile<T>(ParseResult parsed, Option<string?> option, Func<ReadOnlyMemory<byte>, T> parse)
        where T : class
    {
        if (parsed.GetValue(option) is not { } path)
        {
            return null;
        }

        try
        {
            return parse(Files.ReadNamed(path));
        }
        catch (Exception e) when (e is ContainerException or RegistryException)
        {
            throw new ContainerException($"Reading {path}", e);
        }
    }

    private static Dictionary<string, string> Labels(string[] given)
    {
        var labels = new Dictionary<string, string>();
        foreach (var label in given)
        {
            var equals = label.IndexOf('=');
            if (equals <= 0)
            {
                throw new UsageException($"missing '=' in label '{label}'");
            }

            labels[label[..equals]] = label[(equals + 1)..];
        }

        return labels;
    }

    private static EncapsulatedImage Describe(ImageReference reference, Checksum commit, EncapsulationResult result, IImageDestination destination) => new(
        reference.ToString(),
        result.Digest.ToString(),
        commit.ToString(),
        result.Manifest.TotalSize,
        destination.BytesSent,
        destination.BytesSkipped,
        result.KeptArrangement,
        [.. result.Layers.Select(layer => new EncapsulatedImageLayer(
            layer.Name, layer.Blob.Digest.ToString(), layer.DiffId.ToString(), layer.Blob.Size, layer.UncompressedSize, layer.Objects, layer.Components))]);
}
