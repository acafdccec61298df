using System.CommandLine;
using OciOstree.Container;

namespace OciOstree.Cli.Machine;

/// <summary><c>cleanup</c>: what nothing boots goes.</summary>
internal static class CleanupCommand
{
    public static Command Create()
    {
        var leftOver = Opts.Flag("--base", "Only what is left over: layers, kernels and objects that nothing boots (the default)", "-b");
        var pending = Opts.Flag("--pending", "Give up what waits for the next boot", "-p");
        var rollback = Opts.Flag("--rollback", "Give up the deployment that a rollback would go to", "-r");
        var metadata = Opts.Flag("--repomd", "Forget what checks have seen in registries", "-m");
        var verb = new Verb("cleanup", "Remove deployments, kernels and layers that nothing boots any more", "oci-ostree cleanup", "oci-ostree cleanup -p -r") { leftOver, pending, rollback, metadata };
        var machine = new MachineSysroot().AddTo(verb);
        return verb.Does(parsed =>
        {
            using var sysroot = machine.Open(parsed);
            foreach (var status in MachineStatus.All(sysroot).Where(status => IsGivenUp(status)).Reverse())
            {
                Console.Out.WriteLine($"Removing {MachineStatus.Name(sysroot, status.Deployment)}");
                sysroot.Undeploy(status.Deployment.Index);
            }

            var store = new ImageStore(sysroot.Repo);
            if (parsed.GetValue(metadata))
            {
                foreach (var image in store.List().Where(image => store.Query(image)?.CachedUpdate is not null))
                {
                    store.ClearCachedUpdate(image);
                    Console.Out.WriteLine($"Forgot the update that was seen of {image}");
                }

                if (!parsed.GetValue(leftOver) && !parsed.GetValue(pending) && !parsed.GetValue(rollback))
                {
                    return;
                }
            }

            store.PruneLayers();
            var pruned = sysroot.Cleanup();
            Console.Out.WriteLine(pruned is { BytesFreed: > 0 } ? $"Freed {Output.Size(pruned.Value.BytesFreed)}" : "Nothing to remove");

            bool IsGivenUp(MachineStatus status) =>
                !status.Deployment.IsPinned
                && ((parsed.GetValue(rollback) && status.IsRollback) || (parsed.GetValue(pending) && (status.IsPending || status.Deployment.IsStaged)));
        });
    }
}
