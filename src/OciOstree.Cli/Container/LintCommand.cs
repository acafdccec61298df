using System.CommandLine;
using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container lint</c>: what of a root will not survive on a machine, or break it.</summary>
internal static class LintCommand
{
    public static Command Create()
    {
        var image = Opts.Optional("IMGREF", "Lint an image instead, reading its layers where they are; with --repo one that is stored there, or a ref or commit");
        var rootfs = Opts.Value("--rootfs", "PATH", "The root to look at, / if not given");
        var fatalWarnings = Opts.Flag("--fatal-warnings", "Make warnings fatal");
        var list = Opts.Flag("--list", "Print all lints, and run none");
        var skip = Opts.Many("--skip", "NAME", "Leave a lint out; may be repeated");
        skip.CompletionSources.Add(_ => Lints.All.Select(lint => new System.CommandLine.Completions.CompletionItem(lint.Name)));
        var noTruncate = Opts.Flag("--no-truncate", "Print all that was found, not the first few of each lint");
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print the findings, or the list, as JSON");
        var verb = new Verb(
            "lint",
            "Find what will not survive on a machine, or keep it from booting",
            "RUN oci-ostree container lint",
            "oci-ostree container lint --rootfs=rootfs --skip=var-tmpfiles --json",
            "oci-ostree container lint docker://quay.io/example/os:stable")
        {
            image, rootfs, fatalWarnings, list, skip, noTruncate, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            var asJson = parsed.GetValue(json);
            if (parsed.GetValue(list))
            {
                List(asJson);
                return ExitCodes.Ok;
            }

            var root = parsed.GetValue(rootfs);
            if (root is not null && parsed.GetValue(image) is not null)
            {
                throw new UsageException("--rootfs and IMGREF exclude each other");
            }

            var skipped = parsed.GetValue(skip)!.ToHashSet(StringComparer.Ordinal);
            foreach (var unknown in skipped.Where(name => Lints.All.All(lint => lint.Name != name)))
            {
                Console.Error.WriteLine($"warning: there is no lint '{unknown}' to skip");
            }

            var (name, report) = parsed.GetValue(image) is { } reference
                ? Image(parsed, images, reference, parsed.GetValue(quiet), skipped)
                : Directory(root ?? "/", skipped);
            var failed = report.Fatal + (parsed.GetValue(fatalWarnings) ? report.Warnings : 0);
            if (asJson)
            {
                Output.Json(new LintResult(name, report.Passed, report.Skipped, report.Warnings, report.Fatal, [.. report.Findings.Select(LintResultFinding.From)]), LintJson.Default.LintResult);
            }
            else
            {
                LintText.Write(Console.Out, report, parsed.GetValue(noTruncate));
                LintText.WriteCounts(Console.Out, report);
            }

            return failed == 0 ? ExitCodes.Ok : throw new ContainerException($"Checks failed: {failed}");
        });
    }

    private static (string Name, LintReport Report) Directory(string path, HashSet<string> skip)
    {
        using var tree = RootTree.FromDirectory(path);
        return (path, Lints.Run(tree, running: Path.GetFullPath(path) == "/", skip: skip));
    }

    private static (string Name, LintReport Report) Image(ParseResult parsed, ImageOptions images, string name, bool quiet, HashSet<string> skip)
    {
        if (parsed.GetValue(Globals.Repo) is { } path)
        {
            using var repo = Repo.Open(path);
            var (commit, labels) = Stored(repo, name);
            using var stored = RootTree.FromCommit(repo, commit);
            return (name, Lints.Run(stored, labels: labels, skip: skip));
        }

        var reference = OstreeImageReference.ParseEither(name);
        var options = images.Read(parsed);
        using var source = Images.OpenSource(reference, options);
        var manifest = source.FetchManifest(options.Platform, Entry.Cancellation).Manifest;
        var config = source.FetchConfig(manifest, Entry.Cancellation);
        using var tree = TransferBars.Run(progress => RootTree.FromImage(source, manifest, config, Lints.Reads, progress, Entry.Cancellation), quiet);
        return (reference.ToString(), Lints.Run(tree, labels: config.Labels, skip: skip));
    }

    // With a colon it is a remote's ref, or an image with its transport.
    private static (Checksum Commit, IReadOnlyDictionary<string, string>? Labels) Stored(Repo repo, string name)
    {
        if (!name.Contains(':'))
        {
            return (repo.ResolveRequired(name), null);
        }

        var image = repo.ListRefs().TryGetValue(name, out var remote) ? null : new ImageStore(repo).Require(OstreeImageReference.ParseEither(name));
        return image is null ? (remote, null) : (image.MergeCommit, image.Config.Labels);
    }

    private static void List(bool asJson)
    {
        if (asJson)
        {
            Output.Json([.. Lints.All.Select(LintDescription.From)], LintJson.Default.IReadOnlyListLintDescription);
            return;
        }

        // bootc prints the same as YAML.
        foreach (var lint in Lints.All)
        {
            Console.Out.WriteLine($"- name: {lint.Name}");
            Console.Out.WriteLine($"  type: {LintDescription.TypeOf(lint)}");
            Console.Out.WriteLine($"  description: '{lint.Description.Replace("'", "''", StringComparison.Ordinal)}'");
        }
    }
}
