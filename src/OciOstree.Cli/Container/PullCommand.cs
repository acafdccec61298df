using System.CommandLine;
using OciOstree.Container;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container image pull</c>: an image into a repository.</summary>
internal static class PullCommand
{
    public static Command Create()
    {
        var repo = Opts.Required("REPO", "Path to the repository; not with --repo, which says the same");
        var imgref = Opts.Optional("IMGREF", "Image reference, e.g. ostree-unverified-registry:quay.io/exampleos/exampleos:latest");
        var digestFile = Opts.Value("--ostree-digestfile", "PATH", "File to which to write the resulting OSTree commit digest");
        var check = Opts.Value("--check", "PATH", "Only look for a newer manifest, and write it to this file if there is one; no layers are fetched");
        var topLevels = TopLevelOption.Create();
        var noLabels = LabelOption.Create();
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print the result as JSON");
        var verb = new Verb(
            "pull",
            "Pull (or update) a container image",
            "oci-ostree container image pull /ostree/repo ostree-unverified-registry:quay.io/example/os:stable",
            "oci-ostree container image pull repo ostree-unverified-image:oci-archive:os.ociarchive --json",
            "oci-ostree container image pull repo ostree-unverified-registry:quay.io/example/os:stable --check=/run/newer.json",
            "oci-ostree container image pull repo ostree-unverified-image:oci:app --toplevel=opt=keep --toplevel=var=factory")
        {
            repo, imgref, digestFile, check, topLevels, noLabels, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            var (path, image) = Words(parsed.GetValue(Globals.Repo), parsed.GetValue(repo)!, parsed.GetValue(imgref));
            var reference = OstreeImageReference.Parse(image);
            var options = new ImportOptions { Registry = images.Read(parsed), Labels = !parsed.GetValue(noLabels), TopLevels = TopLevelOption.Read(parsed, topLevels) };
            ResultFile.Prepare(parsed.GetValue(digestFile));
            ResultFile.Prepare(parsed.GetValue(check));
            using var opened = Repo.Open(path);
            using var importer = new ImageImporter(opened, reference, options);
            var plan = importer.Prepare(Entry.Cancellation);
            var asJson = parsed.GetValue(json);
            if (plan.Present is not null)
            {
                WriteDigestFile(parsed.GetValue(digestFile), plan.Present.MergeCommit);
                PrintSignatures(plan.Present, asJson);
                Report(asJson, $"No changes in {reference} => {plan.Present.MergeCommit}", () => StoredImage.From(reference.ToString(), plan.Present) with { Changed = false, LayersFetched = 0, BytesFetched = 0 });
                return;
            }

            if (parsed.GetValue(check) is { } checkPath)
            {
                ResultFile.Write(checkPath, plan.ManifestBytes.Span);
                ReportNewer(reference, plan, checkPath, asJson, parsed.GetValue(quiet));
                return;
            }

            if (!asJson)
            {
                PrintPlan(plan);
            }

            var (count, bytes) = (plan.LayersToFetch.Count(), plan.BytesToFetch);
            var imported = TransferBars.Run(progress => importer.Import(plan, progress, Entry.Cancellation), parsed.GetValue(quiet));
            foreach (var warning in imported.Warnings)
            {
                Console.Error.WriteLine(warning);
            }

            PrintSignatures(imported, asJson);

            WriteDigestFile(parsed.GetValue(digestFile), imported.MergeCommit);
            Report(asJson, $"Wrote: {reference} => {imported.MergeCommit}", () => StoredImage.From(reference.ToString(), imported) with
            {
                Changed = true,
                LayersFetched = count,
                BytesFetched = bytes,
                Dropped = imported.Dropped.Paths,
                Warnings = imported.Warnings,
            });
        });
    }

    // ostree-ext has the repository as a word here and as an option everywhere else.
    private static (string Repo, string Image) Words(string? option, string first, string? second) => (option, second) switch
    {
        ({ } path, null) => (path, first),
        (null, { } image) => (first, image),
        (null, null) => throw new UsageException("Missing IMGREF"),
        _ => throw new UsageException("The repository is named twice: as REPO and with --repo"),
    };

    /// <summary>What a check found. The peer's says nothing on standard output then, where scripts look.</summary>
    private static void ReportNewer(OstreeImageReference reference, ImportPlan plan, string path, bool asJson, bool quiet)
    {
        var count = plan.LayersToFetch.Count();
        if (asJson)
        {
            Output.Json(
                new NewerImage(reference.ToString(), plan.ManifestDigest.ToString(), plan.Version, plan.Config.Created, plan.Manifest.Layers.Count, plan.Manifest.TotalSize, true, plan.Previous?.ManifestDigest.ToString(), count, plan.BytesToFetch),
                ImageJsonContext.Default.NewerImage);
        }
        else if (!quiet)
        {
            Console.Error.WriteLine($"{(plan.Previous is null ? "Not pulled yet" : "Newer image")}: {plan.ManifestDigest}{(plan.Version is { } version ? $", version {version}" : "")}, {count} of {plan.Manifest.Layers.Count} layers to fetch ({Output.Size(plan.BytesToFetch)}); manifest in {path}");
        }
    }

    /// <summary>What is there and what is missing, in the peer's words.</summary>
    internal static void PrintPlan(ImportPlan plan)
    {
        if (plan.Previous is { } previous)
        {
            LayerChangesText.Write(LayerChanges.Between(previous.Manifest, plan.Manifest));
        }

        var present = plan.Layers.Count(layer => layer.Commit is not null);
        if (present < plan.Layers.Count)
        {
            Console.Out.WriteLine($"layers already present: {present}; layers needed: {plan.Layers.Count - present} ({Output.Size(plan.BytesToFetch)})");
            Console.Out.Flush();
        }
    }

    /// <summary>Who vouches for the image, if somebody was asked to.</summary>
    internal static void PrintSignatures(ImportedImage image, bool silent)
    {
        if (image.Signatures is { } text && !silent)
        {
            Console.Out.WriteLine(text);
        }
    }

    private static void Report(bool asJson, string line, Func<StoredImage> value)
    {
        if (asJson)
        {
            Output.Json(value(), ImageJsonContext.Default.StoredImage);
        }
        else
        {
            Console.Out.WriteLine(line);
        }
    }

    private static void WriteDigestFile(string? path, Checksum commit)
    {
        if (path is not null)
        {
            ResultFile.Write(path, commit.ToString());
        }
    }
}
