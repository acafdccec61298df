using System.CommandLine;
using System.Globalization;
using OciOstree.Container;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container info</c>: the ostree side of an image.</summary>
internal static class InfoCommand
{
    private const int MaxShown = 200;

    public static Command Create()
    {
        var imgref = Opts.Required("IMGREF", "Image reference, e.g. docker://quay.io/exampleos/exampleos:latest; with --repo one that is stored there");
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print it as JSON");
        var verb = new Verb(
            "info",
            "Print information about an exported ostree-container image: its commit, its layers and what they hold",
            "oci-ostree container info docker://quay.io/example/os:stable",
            "oci-ostree container info --repo=/ostree/repo --json docker://quay.io/example/os:stable")
        {
            imgref, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            using var repo = parsed.GetValue(Globals.Repo) is { } path ? Repo.Open(path) : null;
            using var image = LookedAtImage.Open(repo, parsed.GetValue(imgref)!, images.Read(parsed));
            var commit = TransferBars.Run(progress => image.ReadCommit(repo, progress), parsed.GetValue(quiet));
            var info = Read(image, commit, repo);
            if (parsed.GetValue(json))
            {
                Output.Json(info, InfoJson.Default.ImageInfo);
            }
            else
            {
                Print(info);
            }
        });
    }

    private static ImageInfo Read(LookedAtImage image, (Checksum Checksum, Commit Commit)? commit, Repo? repo)
    {
        var labels = image.Config.Labels;
        var kinds = EncapsulatedCommit.KindsOf(image.Manifest, image.Config);
        var history = ImageStore.HistoryOf(image.Config, image.Manifest);
        return new ImageInfo(
            image.Name,
            image.Digest.ToString(),
            image.Config.Platform.ToString(),
            image.Config.Created,
            labels.GetValueOrDefault("org.opencontainers.image.version"),
            labels.GetValueOrDefault("ostree.linux"),
            labels.ContainsKey("containers.bootc") || labels.ContainsKey("ostree.bootable"),
            commit is null ? null : 1,
            commit is { } found ? Describe(found.Checksum, found.Commit) : null,
            image.Manifest.TotalSize,
            [.. image.Manifest.Layers.Select((layer, i) =>
            {
                var (objects, size) = image.Stored is not null && kinds[i] == LayerKind.Chunk ? CountChunk(repo!, layer.Digest) : (null, null);
                return new InfoLayer(KindName(kinds[i]), layer.Digest.ToString(), layer.Size, LayerChanges.ComponentsOf(layer), history[i], objects, size);
            })],
            image.Stored is not null && commit is { } whole ? Components(repo!, whole.Checksum) : null);
    }

    private static InfoCommit Describe(Checksum checksum, Commit commit) => new(
        checksum.ToString(),
        commit.Parent?.ToString(),
        commit.Subject,
        commit.Timestamp <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds((long)commit.Timestamp).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : commit.Timestamp.ToString(CultureInfo.InvariantCulture),
        new SortedDictionary<string, string>(commit.Metadata.Children.DistinctBy(entry => entry[0].AsString()).ToDictionary(entry => entry[0].AsString(), entry => entry[1].AsVariant().Print(annotate: false)), StringComparer.Ordinal));

    private static (int? Objects, long? Size) CountChunk(Repo repo, Registry.Digest layer)
    {
        if (repo.ResolveRef(ImageRefs.ForLayer(layer)) is not { } commit)
        {
            return (null, null);
        }

        var files = repo.ReadDirTree(repo.ReadCommit(commit).RootTree).Files;
        return (files.Count, files.Sum(file =>
        {
            repo.ReadFileHeader(file.Checksum, out var size);
            return size;
        }));
    }

    private static List<InfoComponent> Components(Repo repo, Checksum commit)
    {
        var content = CommitContent.Read(repo, commit, Entry.Cancellation);
        var meta = ContentMeta.FromTree(content);
        return
        [
            .. content.Objects.GroupBy(item => meta.Owners.GetValueOrDefault(item.Checksum) ?? "")
                .Select(group => new InfoComponent(group.Key, group.Count(), group.Sum(item => item.Size)))
                .OrderByDescending(component => component.Size).ThenBy(component => component.Name, StringComparer.Ordinal),
        ];
    }

    private static void Print(ImageInfo info)
    {
        // The peer's line, which scripts read.
        Console.Out.WriteLine($"{info.Image} digest: {info.Digest}");
        Line("Platform", info.Platform);
        Line("Created", info.Created);
        Line("Version", info.Version);
        Line("Bootable", info.Bootable ? "yes" : "no");
        Line("Kernel", info.Kernel);
        if (info.Commit is { } commit)
        {
            Line("Format", $"version {info.FormatVersion}");
            Line("Commit", commit.Checksum);
            Line("Parent", commit.Parent);
            Line("Subject", commit.Subject.Length == 0 ? null : commit.Subject);
            Line("Committed", commit.Timestamp);
            foreach (var (key, value) in commit.Metadata)
            {
                Console.Out.WriteLine($"  {key}: {(value.Length <= MaxShown ? value : $"{value[..MaxShown]}…")}");
            }
        }

        Line("Layers", $"{info.Layers.Count}, {Output.Size(info.Size)} with the configuration");
        foreach (var layer in info.Layers)
        {
            var what = layer.Components.Count > 0 ? string.Join(", ", layer.Components) : layer.CreatedBy.ReplaceLineEndings(" ");
            var content = layer.ContentSize is { } size ? $"  {layer.Objects,6} files, {Output.Size(size),9}" : "";
            Console.Out.WriteLine($"  {layer.Kind,-7}  {layer.Digest.AsSpan("sha256:".Length, 12)}  {Output.Size(layer.Size),9}{content}  {what}".TrimEnd());
        }

        if (info.Components is { } components)
        {
            Line("Components", components.Count.ToString(CultureInfo.InvariantCulture));
            foreach (var component in components)
            {
                Console.Out.WriteLine($"  {Output.Size(component.Size),9}  {component.Objects,6} files  {component.Name}");
            }
        }
    }

    private static void Line(string what, string? value)
    {
        if (value is not null)
        {
            Console.Out.WriteLine($"{what + ":",-11} {value}");
        }
    }

    internal static string KindName(LayerKind kind) => kind switch
    {
        LayerKind.Commit => "ostree",
        LayerKind.Chunk => "chunk",
        _ => "derived",
    };
}
