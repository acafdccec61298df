using System.CommandLine;
using System.Text.Json.Serialization;
using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Container;

/// <summary><c>container image deploy</c>: an image as a bootable root, under ostree-ext's option names.</summary>
internal static class ImageDeployCommand
{
    /// <param name="words">Where it stands: a machine's owner has it at the top level too.</param>
    public static Command Create(string words = "container image deploy")
    {
        var sysrootPath = Opts.Value("--sysroot", "PATH", "Path to the system root");
        var stateroot = Opts.Value("--stateroot", "NAME", "Name for the state directory, also known as \"osname\"; the booted one's, else `default`");
        var imgref = Opts.Value("--imgref", "IMGREF", "Source image reference, e.g. ostree-unverified-registry:quay.io/exampleos/exampleos@sha256:abcd...; conflicts with --image");
        var image = Opts.Value("--image", "NAME", "Name of the container image, e.g. quay.io/exampleos/foo:latest; conflicts with --imgref");
        var transport = Opts.Value("--transport", "TRANSPORT", "The transport of --image, e.g. registry, oci, oci-archive; the default is `registry`").Offering(ImageOptions.Transports);
        var noVerification = Opts.Flag("--no-signature-verification", "Accepted for the sake of scripts: it is the default");
        var enforcePolicy = Opts.Flag("--enforce-container-sigpolicy", "Require that the containers policy does not accept anything");
        var remote = Opts.Value("--ostree-remote", "REMOTE", "With --enforce-container-sigpolicy and --image: verify the commit with the keys of this ostree remote");
        var target = Opts.Value("--target-imgref", "IMGREF", "Image reference that goes into the origin, so that later OS updates pull from it");
        var noImgref = Opts.Flag("--no-imgref", "Write refs for the layers only, not for the image");
        var kargs = Opts.Many("--karg", "ARG", "Add a kernel argument");
        var commitFile = Opts.Value("--write-commitid-to", "PATH", "Write the deployed checksum to this file");
        var topLevels = TopLevelOption.Create();
        var noLabels = LabelOption.Create();
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print the result as JSON");
        var verb = new Verb(
            "deploy",
            "Perform initial deployment for a container image",
            $"oci-ostree {words} --sysroot=/mnt --stateroot=os --imgref=ostree-unverified-registry:quay.io/example/os:stable --karg=root=LABEL=root --karg=rw",
            $"oci-ostree {words} --sysroot=/mnt --transport=oci-archive --image=/media/os.ociarchive --target-imgref=ostree-unverified-registry:quay.io/example/os:stable")
        {
            sysrootPath, stateroot, imgref, image, transport, noVerification, enforcePolicy, remote, target, noImgref, kargs, commitFile, topLevels, noLabels, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            if (parsed.GetValue(noVerification) && parsed.GetValue(enforcePolicy))
            {
                throw new UsageException("--no-signature-verification goes not with --enforce-container-sigpolicy");
            }

            var reference = (parsed.GetValue(imgref), parsed.GetValue(image)) switch
            {
                ({ } text, null) => OstreeImageReference.Parse(text),
                (null, { } name) => new OstreeImageReference(Source(parsed.GetValue(enforcePolicy), parsed.GetValue(remote)), ImageReference.Parse($"{parsed.GetValue(transport) ?? "registry"}:{name}")),
                _ => throw new UsageException("one of --imgref and --image is required"),
            };
            ResultFile.Prepare(parsed.GetValue(commitFile));
            string root = parsed.GetValue(sysrootPath) ?? Sysroot.Sysroot.DefaultPath;
            BootedSystem.MakeWritable(root);
            using var sysroot = SysrootAt.Open(root, new SysrootOptions { Warning = Warn, WatchdogCommand = Admin.ThawCommand.Invocation });
            var options = new ImageDeployOptions
            {
                KernelArguments = parsed.GetValue(kargs) is { Length: > 0 } given ? given : null,
                Target = parsed.GetValue(target) is { } follow ? OstreeImageReference.Parse(follow) : null,
                WriteImageRef = !parsed.GetValue(noImgref),
                TopLevels = TopLevelOption.Read(parsed, topLevels),
                Labels = !parsed.GetValue(noLabels),
                Registry = images.Read(parsed),
            };
            var silent = parsed.GetValue(quiet) || parsed.GetValue(json);
            var result = TransferBars.Run(
                progress => ContainerDeploy.Run(
                    sysroot, parsed.GetValue(stateroot) ?? sysroot.Booted?.Stateroot ?? ContainerDeploy.DefaultStateroot, reference, options, silent ? null : PullCommand.PrintPlan, progress, Entry.Cancellation),
                silent);
            foreach (var warning in result.Image.Warnings)
            {
                Warn(warning);
            }

            PullCommand.PrintSignatures(result.Image, silent);
            if (parsed.GetValue(commitFile) is { } path)
            {
                ResultFile.Write(path, result.Image.MergeCommit.ToString());
            }

            if (parsed.GetValue(json))
            {
                Output.Json(
                    new DeployedImage(reference.ToString(), result.Image.MergeCommit.ToString(), result.Image.ManifestDigest.ToString(), result.Image.Version, result.Deployment.Stateroot, result.Deployment.Path, result.Deployment.IsStaged),
                    DeployJson.Default.DeployedImage);
            }
            else if (!silent)
            {
                Machine.Update.PrintDone(sysroot, options.Target ?? reference, result.Image, result.Deployment);
            }
        });
    }

    private static SignatureSource Source(bool enforce, string? remote) =>
        !enforce ? SignatureSource.ContainerPolicyAllowInsecure
        : remote is null ? SignatureSource.ContainerPolicy
        : SignatureSource.OstreeRemote(remote);

    private static void Warn(string text) => Console.Error.WriteLine(text);
}

/// <summary>What <c>container image deploy --json</c> prints.</summary>
internal sealed record DeployedImage(string Image, string Commit, string ManifestDigest, string? Version, string Stateroot, string Path, bool Staged);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DeployedImage))]
internal sealed partial class DeployJson : JsonSerializerContext;
