using System.CommandLine;
using OciOstree.Container;

namespace OciOstree.Cli.Machine;

/// <summary><c>cleanup</c>: what nothing boots goes.</summary>
internal static class CleanupCommand
{
    public static Command Create()
    {
        var rollback = Opts.Flag("--rollback", "Give up the deployment that a rollback would go to");
        var pending = Opts.Flag("--pending", "Give up what waits for the next boot");
        var verb = new Verb("cleanup", "Remove deployments, kernels and layers that nothing boots any more", "oci-ostree cleanup", "oci-ostree cleanup --rollback") { rollback, pending };
        var machine = new MachineSysroot().AddTo(verb);
        return verb.Does(parsed =>
        {
            using var sysroot = machine.Open(parsed);
            foreach (var status in MachineStatus.All(sysroot).Where(status => IsGivenUp(status)).Reverse())
            {
                Console.Out.WriteLine($"Removing {MachineStatus.Name(sysroot, status.Deployment)}");
                sysroot.Undeploy(status.Deployment.Index);
            }

            new ImageStore(sysroot.Repo).PruneLayers();
            var pruned = sysroot.Cleanup();
            Console.Out.WriteLine(pruned is { BytesFreed: > 0 } ? $"Freed {Output.Size(pruned.Value.BytesFreed)}" : "Nothing to remove");

            bool IsGivenUp(MachineStatus status) =>
                !status.Deployment.IsPinned
                && ((parsed.GetValue(rollback) && status.IsRollback) || (parsed.GetValue(pending) && (status.IsPending || status.Deployment.IsStaged)));
        });
    }
}
