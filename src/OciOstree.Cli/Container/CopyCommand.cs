using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container image copy</c>: an image from one place to another, or a stored one from a repository to another.</summary>
internal static class CopyCommand
{
    public static Command Create()
    {
        var source = Opts.Required("SOURCE", "Image to copy; with --src-repo its IMGREF, else such as docker://HOST/NAME:TAG, oci:DIRECTORY:TAG, oci-archive:FILE or dir:DIRECTORY");
        var destination = Opts.Optional("DESTINATION", "Where to, in the same notation");
        var sourceRepo = Opts.Value("--src-repo", "PATH", "Copy an image that was pulled into this repository");
        var destinationRepo = Opts.Value("--dest-repo", "PATH", "The repository that --src-repo's image is copied to");
        var all = Opts.Flag("--all", "Copy all images of an index, instead of the one for this machine", "-a");
        var digestFile = Opts.Value("--digestfile", "PATH", "Write the digest of the copied image to this file");
        var sourceTls = Opts.Value("--src-tls-verify", "BOOLEAN", "--tls-verify for the source alone");
        var destinationTls = Opts.Value("--dest-tls-verify", "BOOLEAN", "--tls-verify for the destination alone");
        var sourceAuth = Opts.Value("--src-authfile", "PATH", "--authfile for the source alone");
        var destinationAuth = Opts.Value("--dest-authfile", "PATH", "--authfile for the destination alone");
        var sourceCreds = Opts.Value("--src-creds", "USERNAME[:PASSWORD]", "--creds for the source alone");
        var destinationCreds = Opts.Value("--dest-creds", "USERNAME[:PASSWORD]", "--creds for the destination alone");
        var quiet = Opts.Flag("--quiet", "Do not display progress", "-q");
        var json = Opts.Flag("--json", "Print the copied image as JSON");
        var verb = new Verb(
            "copy",
            "Copy a container image between registries, OCI layouts, archives and local engines",
            "oci-ostree container image copy docker://quay.io/example/os:stable oci-archive:os.ociarchive",
            "oci-ostree container image copy oci:build:latest docker://127.0.0.1:5000/example/os:latest --tls-verify=false",
            "oci-ostree container image copy --src-repo=/ostree/repo --dest-repo=repo ostree-unverified-registry:quay.io/example/os:stable")
        {
            source, destination, sourceRepo, destinationRepo, all, digestFile, sourceAuth, destinationAuth, sourceCreds, destinationCreds, sourceTls, destinationTls, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            if (parsed.GetValue(sourceRepo) is not null || parsed.GetValue(destinationRepo) is not null)
            {
                CopyStored(parsed.GetValue(sourceRepo), parsed.GetValue(destinationRepo), parsed.GetValue(source)!, parsed.GetValue(destination), parsed.GetValue(json));
                return;
            }

            if (parsed.GetValue(destination) is not { } target)
            {
                throw new UsageException("Missing DESTINATION");
            }

            ResultFile.Prepare(parsed.GetValue(digestFile));
            var options = images.Read(parsed);
            if (parsed.GetValue(all) && options.Platform is not null)
            {
                throw new UsageException("--all takes the images of all platforms: it goes not with --platform");
            }

            var from = OstreeImageReference.ParseEither(parsed.GetValue(source)!);
            var to = ImageReference.Parse(target);
            var started = Stopwatch.GetTimestamp();
            var result = TransferBars.Run(
                progress => Images.Copy(
                    from,
                    to,
                    new CopyOptions { AllPlatforms = parsed.GetValue(all) },
                    ImageOptions.For(parsed, options, sourceTls, sourceAuth, sourceCreds),
                    ImageOptions.For(parsed, options, destinationTls, destinationAuth, destinationCreds),
                    progress,
                    Entry.Cancellation),
                parsed.GetValue(quiet));
            if (parsed.GetValue(digestFile) is { } path)
            {
                ResultFile.Write(path, result.Digest.ToString());
            }

            if (parsed.GetValue(json))
            {
                Output.Json(new WrittenImage(to.ToString(), result.Digest.ToString(), result.BytesSent, result.BytesSkipped), ImageJsonContext.Default.WrittenImage);
                return;
            }

            Console.Out.WriteLine($"Copied: {result.Digest}");
            if (!parsed.GetValue(quiet))
            {
                var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
                Console.Out.WriteLine($"{Output.Size(result.BytesSent)} moved, {Output.Size(result.BytesSkipped)} there already, in {seconds} s");
            }
        });
    }

    private static void CopyStored(string? sourceRepo, string? destinationRepo, string image, string? extra, bool asJson)
    {
        if (sourceRepo is null || destinationRepo is null || extra is not null)
        {
            throw new UsageException("Between repositories: --src-repo=PATH --dest-repo=PATH IMGREF");
        }

        using var from = Repo.Open(sourceRepo);
        using var to = Repo.Open(destinationRepo);
        var reference = OstreeImageReference.ParseEither(image);
        new ImageStore(from).CopyTo(to, reference, Entry.Cancellation);
        if (asJson)
        {
            var copied = new ImageStore(to).Require(reference);
            Output.Json(new CopiedImage(reference.ToString(), copied.MergeCommit.ToString(), copied.ManifestDigest.ToString()), ImageJsonContext.Default.CopiedImage);
        }
    }
}
