using System.CommandLine;

namespace OciOstree.Cli.Machine;

/// <summary><c>rollback</c>: boot what ran before.</summary>
internal static class RollbackCommand
{
    public static Command Create()
    {
        var verb = new Verb("rollback", "Boot the previous deployment next; a second time, the present one again", "oci-ostree rollback --reboot");
        var machine = new MachineSysroot().AddRebootTo(verb);
        return verb.Does(parsed =>
        {
            using var sysroot = machine.Open(parsed);
            var staged = sysroot.Staged;
            var deployment = sysroot.Rollback();
            if (staged is not null)
            {
                Console.Out.WriteLine($"Dropped what was staged: {MachineStatus.Name(sysroot, staged)}");
            }

            Console.Out.WriteLine($"Next boot: {MachineStatus.Name(sysroot, deployment)}");
            machine.Reboot(sysroot, parsed);
        });
    }
}
