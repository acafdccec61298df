using System.CommandLine;
using OciOstree.Cli.Container;
using OciOstree.Container;
using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary>What both ways to install have in common: which image, and what the machine shall be told.</summary>
internal sealed class InstallOptions
{
    private readonly Option<string?> imgref = Opts.Value("--imgref", "IMGREF", "The image, e.g. ostree-unverified-registry:quay.io/example/os:stable");
    private readonly Option<string?> target = Opts.Value("--target-imgref", "IMGREF", "What the machine follows afterwards, if that is another");
    private readonly Option<string?> stateroot = Opts.Value("--stateroot", "NAME", $"The stateroot to make (default: {ContainerDeploy.DefaultStateroot})");
    private readonly Option<string[]> kargs = Opts.Many("--karg", "ARG", "A kernel argument, beside those that find the root");
    private readonly Option<string[]> topLevels = TopLevelOption.Create();
    private readonly Option<string?> keys = Opts.Value("--root-ssh-authorized-keys", "FILE", "Who may log in as root by ssh");
    private readonly Option<bool> quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
    private readonly Option<bool> json = Opts.Flag("--json", "Print the result as JSON");
    private ImageOptions? images;

    public InstallOptions AddTo(Command verb)
    {
        foreach (var option in new Option[] { imgref, target, stateroot, kargs, keys, topLevels, quiet, json })
        {
            verb.Add(option);
        }

        images = new ImageOptions().AddTo(verb);
        return this;
    }

    public static InstallLoader Loader(string? name, InstallLoader otherwise) => name switch
    {
        null => otherwise,
        "none" => InstallLoader.None,
        "extlinux" or "syslinux" => InstallLoader.Extlinux,
        "grub" or "grub2" => InstallLoader.Grub,
        "systemd-boot" => InstallLoader.SystemdBoot,
        _ => throw new UsageException($"Unknown boot loader '{name}': none, extlinux, grub and systemd-boot are known"),
    };

    /// <summary>Deploys the image there as the first deployment of a new stateroot.</summary>
    /// <param name="finish">Puts the boot loader into its place; gets the root of the deployment.</param>
    public void Install(ParseResult parsed, RootMount root, InstallLoader loader, (string Uuid, string Type)? boot, Action<string> finish)
    {
        // Before anything is written.
        var reference = OstreeImageReference.Parse(parsed.GetValue(imgref) ?? throw new UsageException("--imgref is required"));
        var authorized = parsed.GetValue(keys) is { } file ? Files.ReadNamed(file) : null;
        var name = parsed.GetValue(stateroot) ?? ContainerDeploy.DefaultStateroot;
        var silent = parsed.GetValue(quiet) || parsed.GetValue(json);
        using var sysroot = new Installation(root, loader).Begin(name, new SysrootOptions
        {
            Warning = warning => Console.Error.WriteLine($"warning: {warning}"),
            WatchdogCommand = Admin.ThawCommand.Invocation,
        });
        var options = new ImageDeployOptions
        {
            Target = parsed.GetValue(target) is { } follow ? OstreeImageReference.Parse(follow) : null,
            KernelArguments = [.. root.KernelArguments, .. parsed.GetValue(kargs)!],
            TopLevels = TopLevelOption.Read(parsed, topLevels),
            Registry = images!.Read(parsed),
            Stage = false,
        };
        var result = TransferBars.Run(progress => ContainerDeploy.Run(sysroot, name, reference, options, silent ? null : PullCommand.PrintPlan, progress, Entry.Cancellation), silent);
        foreach (var warning in result.Image.Warnings)
        {
            Console.Error.WriteLine(warning);
        }

        PullCommand.PrintSignatures(result.Image, silent);
        if (authorized is not null)
        {
            Installation.AddAuthorizedKeys(sysroot, result.Deployment, authorized);
        }

        if (boot is { } own)
        {
            Installation.AddBootMount(sysroot, result.Deployment, own.Uuid, own.Type);
        }

        finish(sysroot.PathOf(result.Deployment));
        if (parsed.GetValue(json))
        {
            Output.Json(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("image", (options.Target ?? reference).ToString());
                writer.WriteString("imageDigest", result.Image.ManifestDigest.ToString());
                writer.WriteString("version", result.Image.Version);
                writer.WriteString("stateroot", name);
                writer.WriteString("deployment", result.Deployment.Path);
                writer.WriteString("kernelArguments", string.Join(' ', options.KernelArguments));
                writer.WriteString("rootUuid", root.Uuid);
                writer.WriteEndObject();
            });
        }
        else
        {
            Update.PrintDone(sysroot, options.Target ?? reference, result.Image, result.Deployment);
        }
    }

    /// <summary>A reference that makes no sense shall not cost a disk.</summary>
    public void Check(ParseResult parsed)
    {
        OstreeImageReference.Parse(parsed.GetValue(imgref) ?? throw new UsageException("--imgref is required"));
        if (parsed.GetValue(target) is { } follow)
        {
            OstreeImageReference.Parse(follow);
        }

        TopLevelOption.Read(parsed, topLevels);
    }
}
