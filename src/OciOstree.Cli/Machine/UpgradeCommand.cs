using System.CommandLine;
using OciOstree.Cli.Container;

namespace OciOstree.Cli.Machine;

/// <summary><c>upgrade</c>: to what the followed image's name stands for now.</summary>
internal static class UpgradeCommand
{
    public static Command Create()
    {
        var check = Opts.Flag("--check", "Only look whether there is an update; nothing is fetched but the manifest");
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print the result as JSON");
        var verb = new Verb("upgrade", "Fetch the newest version of the image that this machine follows, and boot it next", "oci-ostree upgrade --check", "oci-ostree upgrade --reboot") { check, quiet, json };
        var machine = new MachineSysroot().AddRebootTo(verb);
        var images = new ImageOptions().AddTo(verb, withPlatform: false);
        return verb.Does(parsed =>
        {
            if (parsed.GetValue(check))
            {
                using var reading = machine.OpenToCheck(parsed);
                var current = MachineSysroot.Next(reading, machine.Stateroot(reading, parsed));
                Update.Check(reading, current, MachineSysroot.ImageOf(current), images.Read(parsed), parsed.GetValue(json));
                return;
            }

            using var sysroot = machine.Open(parsed);
            var next = MachineSysroot.Next(sysroot, machine.Stateroot(sysroot, parsed));
            var reference = MachineSysroot.ImageOf(next);
            if (Update.Run(sysroot, next.Stateroot, reference, reference, images.Read(parsed), parsed.GetValue(quiet), parsed.GetValue(json)))
            {
                machine.Reboot(sysroot, parsed);
            }
        });
    }
}
