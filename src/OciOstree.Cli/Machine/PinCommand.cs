using System.CommandLine;

namespace OciOstree.Cli.Machine;

/// <summary><c>pin</c>: a deployment to keep whatever comes.</summary>
internal static class PinCommand
{
    public static Command Create()
    {
        var which = Opts.Required("WHICH", "booted, pending, rollback, or a place in the boot order as `status --json` numbers it");
        var unpin = Opts.Flag("--unpin", "Keep it no longer", "-u");
        var verb = new Verb("pin", "Keep a deployment however many come after it", "oci-ostree pin booted", "oci-ostree pin --unpin 2") { which, unpin };
        var machine = new MachineSysroot().AddTo(verb);
        return verb.Does(parsed =>
        {
            using var sysroot = machine.Open(parsed);
            var deployment = sysroot.DeploymentAt(Admin.PinCommand.IndexOf(sysroot, parsed.GetValue(which)!));
            var pin = !parsed.GetValue(unpin);
            var changed = sysroot.SetPinned(deployment, pin);
            Console.Out.WriteLine($"{(pin ? "Pinned" : "Not pinned")}{(changed ? "" : " already")}: {MachineStatus.Name(sysroot, deployment)}");
        });
    }
}
