using System.CommandLine;
using OciOstree.Cli.Container;

namespace OciOstree.Cli.Machine;

/// <summary><c>upgrade</c>: to what the followed image's name stands for now.</summary>
internal static class UpgradeCommand
{
    public static Command Create()
    {
        var check = Opts.Flag("--check", "Only look whether there is an update; nothing is fetched but the manifest");
        var downloadOnly = Opts.Flag("--download-only", "Fetch the update, but let no boot run it until --from-downloaded");
        var fromDownloaded = Opts.Flag("--from-downloaded", "Let the next boot run what --download-only has fetched; no registry is asked");
        var allowDowngrade = Opts.Flag("--allow-downgrade", "Take the image though it was made before the one that is deployed");
        var verb = new Verb(
            "upgrade",
            "Fetch the newest version of the image that this machine follows, and boot it next",
            "oci-ostree upgrade --check",
            "oci-ostree upgrade --apply",
            "oci-ostree upgrade --download-only && oci-ostree upgrade --from-downloaded --apply")
        {
            check, downloadOnly, fromDownloaded, allowDowngrade,
        };
        var updates = new UpdateOptions().AddTo(verb);
        var machine = new MachineSysroot().AddRebootTo(verb);
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed =>
        {
            var modes = new[] { check, downloadOnly, fromDownloaded }.Where(mode => parsed.GetValue(mode)).Select(mode => mode.Name).ToList();
            if (modes.Count > 1)
            {
                throw new UsageException($"Give either {string.Join(" or ", modes)}");
            }

            if (machine.WantsReboot(parsed) && (parsed.GetValue(check) || parsed.GetValue(downloadOnly)))
            {
                throw new UsageException($"{modes[0]} leaves nothing to reboot into");
            }

            if (parsed.GetValue(check))
            {
                using var reading = machine.OpenToCheck(parsed);
                var current = MachineSysroot.Next(reading, machine.Stateroot(reading, parsed));
                Update.Check(reading, current, MachineSysroot.ImageOf(current), images.Read(parsed), updates.WantsJson(parsed));
                return;
            }

            using var sysroot = machine.Open(parsed);
            var next = MachineSysroot.Next(sysroot, machine.Stateroot(sysroot, parsed));
            var reference = MachineSysroot.ImageOf(next);
            var changed = parsed.GetValue(fromDownloaded)
                ? Update.FromDownloaded(sysroot, next, reference, updates.WantsJson(parsed))
                : Update.Run(sysroot, updates.Read(parsed, next.Stateroot, reference, images.Read(parsed)) with
                {
                    DownloadOnly = parsed.GetValue(downloadOnly),
                    AllowOlder = parsed.GetValue(allowDowngrade),
                });
            // An update that a run before left for the next boot counts, too.
            if (changed || (sysroot.Booted is { } booted && !MachineSysroot.Next(sysroot, booted.Stateroot).IsSame(booted)))
            {
                machine.Reboot(sysroot, parsed);
            }
        });
    }
}
