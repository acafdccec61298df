using System.CommandLine;
using System.CommandLine.Completions;
using System.Text;
using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary>The words about images that are in a repository: <c>container image list|history|metadata|remove|prune-layers|clear-cached-update</c>.</summary>
internal static class StoreCommands
{
    public static void AddTo(Command group)
    {
        group.Add(List());
        group.Add(History());
        group.Add(Metadata());
        group.Add(Remove());
        group.Add(PruneLayers());
        group.Add(ClearCachedUpdate());
    }

    private static Command List()
    {
        var json = Opts.Flag("--json", "Print the images as JSON");
        return new Verb("list", "List container images", "oci-ostree container image list --repo=/ostree/repo") { json }.Does(parsed =>
        {
            using var repo = OpenRepo(parsed);
            var store = new ImageStore(repo);
            if (parsed.GetValue(json))
            {
                Output.Json([.. store.List().Select(image => StoredImage.From(image.ToString(), store.Require(image)))], ImageJsonContext.Default.IReadOnlyListStoredImage);
                return;
            }

            foreach (var image in store.List())
            {
                Console.Out.WriteLine(image);
            }
        });
    }

    private static Command History()
    {
        var (imgref, json) = (ImageArgument(), Opts.Flag("--json", "Print the layers as JSON"));
        return new Verb("history", "Output metadata about an already stored container image", "oci-ostree container image history --repo=/ostree/repo docker://quay.io/example/os:stable") { imgref, json }.Does(parsed =>
        {
            using var repo = OpenRepo(parsed);
            var image = new ImageStore(repo).Require(OstreeImageReference.ParseEither(parsed.GetValue(imgref)!));
            var history = ImageStore.History(image);
            if (parsed.GetValue(json))
            {
                var kinds = EncapsulatedCommit.KindsOf(image.Manifest, image.Config);
                Output.Json(
                    [
                        .. history.Select((line, index) => new HistoryLine(
                            line.Layer.Digest.ToString(),
                            index < image.Config.DiffIds.Count ? image.Config.DiffIds[index].ToString() : null,
                            InfoCommand.KindName(kinds[index]),
                            line.Layer.Size,
                            line.Entry?.Created,
                            line.Entry?.CreatedBy ?? "",
                            line.Entry?.Comment)),
                    ],
                    ImageJsonContext.Default.IReadOnlyListHistoryLine);
                return;
            }

            Console.Out.WriteLine($"{"ID",-20}  {"SIZE",9}  CREATED BY");
            foreach (var (layer, entry) in history)
            {
                Console.Out.WriteLine($"{layer.Digest.Hex[..20]}  {Output.Size(layer.Size),9}  {entry?.CreatedBy?.ReplaceLineEndings(" ")}".TrimEnd());
            }
        });
    }

    private static Command Metadata()
    {
        var (imgref, config) = (ImageArgument(), Opts.Flag("--config", "Output the config, not the manifest"));
        return new Verb("metadata", "Output manifest or configuration for an already stored container image", "oci-ostree container image metadata --repo=/ostree/repo --config docker://quay.io/example/os:stable") { imgref, config }.Does(parsed =>
        {
            using var repo = OpenRepo(parsed);
            var image = new ImageStore(repo).Require(OstreeImageReference.ParseEither(parsed.GetValue(imgref)!));
            using var output = Console.OpenStandardOutput();
            output.Write(Encoding.UTF8.GetBytes(parsed.GetValue(config) ? image.ConfigJson : image.ManifestJson));
            if (!Console.IsOutputRedirected)
            {
                // To a program it is the bytes; a person's prompt begins on a line of its own.
                output.WriteByte((byte)'\n');
            }
        });
    }

    private static Command Remove()
    {
        var imgrefs = Opts.Rest("IMGREF", "Images, e.g. docker://quay.io/exampleos/exampleos:latest", atLeast: 1);
        imgrefs.CompletionSources.Add(StoredImages);
        var skipGc = Opts.Flag("--skip-gc", "Do not garbage collect unused layers");
        var json = Opts.Flag("--json", "Print what was removed as JSON");
        return new Verb("remove", "Unreference one or more pulled container images and perform a garbage collection", "oci-ostree container image remove --repo=/ostree/repo docker://quay.io/example/os:stable") { imgrefs, skipGc, json }.Does(parsed =>
        {
            using var repo = OpenRepo(parsed);
            var store = new ImageStore(repo);
            var images = parsed.GetValue(imgrefs)!.Select(OstreeImageReference.ParseEither).Distinct().ToArray();
            store.Remove(images);
            int? layers = parsed.GetValue(skipGc) ? null : store.PruneLayers();
            if (parsed.GetValue(json))
            {
                Output.Json(new PrunedImages([.. images.Select(image => image.ToString())], layers, null, null), ImageJsonContext.Default.PrunedImages);
                return;
            }

            Console.Out.WriteLine(layers is null ? $"Removed images: {images.Length}" : $"Removed images: {images.Length} layers: {layers}");
        });
    }

    private static Command PruneLayers()
    {
        var json = Opts.Flag("--json", "Print how many were removed as JSON");
        return new Verb("prune-layers", "Garbage collect unreferenced image layer references", "oci-ostree container image prune-layers --repo=/ostree/repo") { json }.Does(parsed =>
        {
            using var repo = OpenRepo(parsed);
            var layers = new ImageStore(repo).PruneLayers();
            if (parsed.GetValue(json))
            {
                Output.Json(new PrunedImages([], layers, null, null), ImageJsonContext.Default.PrunedImages);
                return;
            }

            Console.Out.WriteLine($"Removed layers: {layers}");
        });
    }

    private static Command ClearCachedUpdate()
    {
        var imgref = ImageArgument();
        return new Verb("clear-cached-update", "Remove metadata for a cached update", "oci-ostree container image clear-cached-update --repo=/ostree/repo docker://quay.io/example/os:stable") { imgref }.Does(parsed =>
        {
            using var repo = OpenRepo(parsed);
            new ImageStore(repo).ClearCachedUpdate(OstreeImageReference.ParseEither(parsed.GetValue(imgref)!));
        });
    }

    /// <summary>The repository given, else the one that ostree's verbs would find.</summary>
    internal static Repo OpenRepo(ParseResult parsed)
    {
        if (parsed.GetValue(Globals.Repo) is { } given)
        {
            return Repo.Open(given);
        }

        var found = Ostree.OstreeCall.DefaultRepoPath();
        return Directory.Exists(found) ? Repo.Open(found) : throw new UsageException("There is no repository here: name one with --repo=PATH");
    }

    /// <summary>Completes with the images of the repository that is named, or that would be found.</summary>
    internal static IEnumerable<CompletionItem> StoredImages(CompletionContext context)
    {
        try
        {
            using var repo = OpenRepo(context.ParseResult);
            return [.. new ImageStore(repo).List().Select(image => new CompletionItem(image.ToString()))];
        }
        catch (Exception e) when (e is RepositoryException or UsageException or IOException)
        {
            // Who completes wants no complaints; the command will say what is wrong.
            return [];
        }
    }

    private static Argument<string> ImageArgument()
    {
        var image = Opts.Required("IMGREF", "Container image reference, e.g. docker://quay.io/exampleos/exampleos:latest");
        image.CompletionSources.Add(StoredImages);
        return image;
    }
}
