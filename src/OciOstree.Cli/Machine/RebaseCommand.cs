using System.CommandLine;
using OciOstree.Cli.Container;
using OciOstree.Container;

namespace OciOstree.Cli.Machine;

/// <summary><c>rebase</c>: follow another image from now on.</summary>
internal static class RebaseCommand
{
    public static Command Create()
    {
        var imgref = Opts.Required("IMGREF", "Image reference, e.g. ostree-unverified-registry:quay.io/exampleos/exampleos:latest");
        var target = Opts.Value("--target-imgref", "IMGREF", "Take the image from IMGREF now, but follow this one");
        var downloadOnly = Opts.Flag("--download-only", "Fetch the image, but let no boot run it until `upgrade --from-downloaded`");
        var verb = new Verb(
            "rebase",
            "Move this machine to another image, which it then follows",
            "oci-ostree rebase ostree-unverified-registry:quay.io/example/os:next",
            "oci-ostree rebase ostree-unverified-image:oci-archive:/media/os.ociarchive --target-imgref ostree-unverified-registry:quay.io/example/os:stable")
        {
            imgref, target, downloadOnly,
        };
        var updates = new UpdateOptions().AddTo(verb);
        var machine = new MachineSysroot().AddRebootTo(verb);
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed =>
        {
            var reference = OstreeImageReference.Parse(parsed.GetValue(imgref)!);
            var follow = parsed.GetValue(target) is { } other ? OstreeImageReference.Parse(other) : reference;
            using var sysroot = machine.Open(parsed);
            var stateroot = machine.Stateroot(sysroot, parsed) ?? ContainerDeploy.DefaultStateroot;
            var request = updates.Read(parsed, stateroot, reference, images.Read(parsed)) with
            {
                Follow = follow,
                DownloadOnly = parsed.GetValue(downloadOnly),
                // Images by different names have no order in time.
                AllowOlder = true,
            };
            if (Update.Run(sysroot, request))
            {
                machine.Reboot(sysroot, parsed);
            }
        });
    }
}
