namespace OciOstree.Container;

/// <summary>What is needed to boot.</summary>
internal static class KernelLints
{
    private const string Modules = "usr/lib/modules";

    internal static IEnumerable<Lint> All =>
    [
        new Lint(
            "kernel",
            LintLevel.Fatal,
            "There must be one kernel, /usr/lib/modules/VERSION/vmlinuz, and no second",
            "A machine boots the kernel of its image: with none there is nothing to boot, with several nothing tells which.",
            "remove the other: RUN rm -rf /usr/lib/modules/VERSION; or install one, and move its vmlinuz from /boot to /usr/lib/modules/VERSION/vmlinuz")
        {
            Check = OneKernel,
        },
        new Lint(
            "kernel-initramfs",
            LintLevel.Warning,
            "The kernel should have an initramfs beside it, initramfs.img",
            "Without ostree-prepare-root in an initramfs a machine boots the physical root, not the deployment, unless the kernel's command line does it otherwise.",
            "RUN dracut --force --add ostree /usr/lib/modules/VERSION/initramfs.img VERSION, or update-initramfs and move its result there")
        {
            Check = HasInitramfs,
        },
        new Lint(
            "kernel-modules",
            LintLevel.Warning,
            "Every directory of /usr/lib/modules should belong to the kernel",
            "Modules for another kernel than the image's are never loaded.",
            "RUN rm -rf /usr/lib/modules/VERSION of what was left behind")
        {
            Check = NoStrayModules,
        },
    ];

    private static List<RootNode> Kernels(LintRun run) =>
        [.. (run.Tree.Resolve(Modules)?.Children ?? []).Where(node => node.IsDirectory && run.Tree.Resolve($"{Modules}/{node.Name}/vmlinuz") is { IsFile: true })];

    private static void OneKernel(LintRun run)
    {
        var kernels = Kernels(run);
        if (kernels.Count == 0)
        {
            run.Report("/" + Modules, "has no kernel: there is no vmlinuz in any directory of it");
        }
        else if (kernels.Count > 1)
        {
            foreach (var kernel in kernels)
            {
                run.Report(kernel, $"is one of {kernels.Count} kernels");
            }
        }
    }

    private static void HasInitramfs(LintRun run)
    {
        foreach (var kernel in Kernels(run))
        {
            // An Android boot image has its own.
            if (run.Tree.Resolve($"{kernel.Path}/initramfs.img") is null && kernel.Child("initramfs") is null && kernel.Child("aboot.img") is null)
            {
                run.Report(kernel, "has no initramfs.img");
            }
        }
    }

    private static void NoStrayModules(LintRun run)
    {
        var kernels = Kernels(run);
        if (kernels.Count == 0)
        {
            return;
        }

        foreach (var node in (run.Tree.Resolve(Modules)?.Children ?? []).Where(node => node.IsDirectory && !kernels.Contains(node) && !node.IsEmpty))
        {
            run.Report(node, "has modules, and no kernel");
        }
    }
}
