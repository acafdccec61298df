using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>What the root itself must be like.</summary>
internal static class BaseLints
{
    internal const string PatternOfRoot = "usr/share/doc/bootc/baseimage/base";

    private static readonly string[] ApiDirectories = ["dev", "proc", "sys", "run", "tmp", "var"];

    // Everything that is there on a machine, as a directory of the image or as one that the machine makes.
    private static readonly string[] KnownTopLevels = [.. ApiDirectories, "usr", "etc", "boot", "sysroot", "efi"];

    private static readonly string[] MergedDirectories = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

    // Where engines put what containers need.
    private static readonly string[] EngineFiles = ["/run/.containerenv", "/run/systemd/resolve/stub-resolv.conf", "/run/secrets"];

    internal static IEnumerable<Lint> All =>
    [
        new Lint(
            "api-base-directories",
            LintLevel.Fatal,
            "The directories that a booting system mounts things on must exist: /dev /proc /sys /run /tmp /var",
            "The root is read-only when the machine boots: what is missing cannot be made then.",
            "RUN mkdir -p /dev /proc /sys /run /tmp /var")
        {
            Check = ApiDirectoriesExist,
        },
        new Lint(
            "baseimage-root",
            LintLevel.Fatal,
            "/sysroot must be a directory and /ostree a link to sysroot/ostree",
            "The boot mounts the physical root at /sysroot, and finds the repository by /ostree.",
            "RUN mkdir -p /sysroot && ln -sfnT sysroot/ostree /ostree")
        {
            Check = SysrootExists,
        },
        new Lint(
            "bootable-label",
            LintLevel.Warning,
            "An image says that it is one to boot: label containers.bootc or ostree.bootable",
            "Deploying an image without the label is refused.",
            "LABEL containers.bootc=1")
        {
            Check = run =>
            {
                if (run.Labels is { } labels && !labels.ContainsKey(ImageLabels.Bootc) && !labels.ContainsKey(ImageLabels.Bootable))
                {
                    run.Report("/", $"the image has neither label {ImageLabels.Bootc} nor {ImageLabels.Bootable}");
                }
            },
        },
        new Lint(
            "nonempty-boot",
            LintLevel.Warning,
            "/boot should be there and empty",
            "On a machine another /boot lies over it: kernels belong in /usr/lib/modules/VERSION.",
            "RUN rm -rf /boot/*, after moving vmlinuz and initramfs.img to /usr/lib/modules/VERSION")
        {
            Check = BootIsEmpty,
        },
        new Lint(
            "nonempty-run-tmp",
            LintLevel.Warning,
            "/run and /tmp should be empty",
            "On a machine both are empty at every boot, and an import drops what an image has there.",
            "end the RUN step with: rm -rf /run/* /tmp/*, or ostree container commit; directories that a service needs: /usr/lib/tmpfiles.d/NAME.conf")
        {
            Check = RuntimeDirectoriesAreEmpty,
        },
        new Lint(
            "root-permissions",
            LintLevel.Warning,
            "The base directories have the owners and permissions that systems rely on",
            "The root of an image is the root of the machine: one that others may write to is no protection, and one that they cannot enter locks them out.",
            "RUN chown root:root PATH && chmod MODE PATH")
        {
            Check = BasePermissions,
        },
        new Lint(
            "toplevel-content",
            LintLevel.Warning,
            "Top-level directories other than /usr, /etc and /var should have no content",
            "Builds' content there is dropped by an import, unless /usr/lib/ostree/prepare-root.conf makes the root transient; that of the base is read-only for good.",
            "move it to /usr (or to /usr/lib/NAME with a link in its old place), or write '[root]' and 'transient=true' to /usr/lib/ostree/prepare-root.conf")
        {
            Check = TopLevelsAreEmpty,
        },
    ];

    private static void ApiDirectoriesExist(LintRun run)
    {
        foreach (var name in ApiDirectories)
        {
            switch (run.Tree.Find(name))
            {
                case null:
                    run.Report("/" + name, "is missing");
                    break;
                // Where the first ostree systems have it, who make it at boot.
                case { Path: "/tmp", LinkTarget: "sysroot/tmp" }:
                    break;
                case { IsDirectory: false, IsMount: false } node:
                    run.Report(node, "is no directory");
                    break;
            }
        }
    }

    private static void SysrootExists(LintRun run)
    {
        foreach (var root in RootsOf(run))
        {
            SysrootExists(run, root);
        }
    }

    /// <summary>The root, and the pattern of one that images of bootc have beside their documentation for builds to start from.</summary>
    internal static IEnumerable<string> RootsOf(LintRun run) => run.Tree.Find(PatternOfRoot) is { IsDirectory: true } ? ["", PatternOfRoot + "/"] : [""];

    private static void SysrootExists(LintRun run, string root)
    {
        if (run.Tree.Find(root + "sysroot") is not { IsDirectory: true })
        {
            run.Report($"/{root}sysroot", run.Tree.Find(root + "sysroot") is null ? "is missing" : "is no directory");
        }

        switch (run.Tree.Find(root + "ostree"))
        {
            case null:
                run.Report($"/{root}ostree", "is missing: a link to sysroot/ostree");
                break;
            case { LinkTarget: not "sysroot/ostree" } node:
                run.Report(node, node.LinkTarget is { } target ? $"leads to {target}, not to sysroot/ostree" : "is no link");
                break;
        }
    }

    private static void BootIsEmpty(LintRun run)
    {
        switch (run.Tree.Find("boot"))
        {
            case null:
                run.Report("/boot", "is missing");
                break;
            case { IsDirectory: true, IsMount: false } boot:
                // Boot loaders' own place, kept there by tools that install them from the image.
                foreach (var node in boot.Children.Where(node => node.Name != "EFI" && !node.IsMount))
                {
                    run.Report(node, "lies in /boot");
                }

                break;
        }
    }

    private static void RuntimeDirectoriesAreEmpty(LintRun run)
    {
        foreach (var directory in (ReadOnlySpan<string>)["run", "tmp"])
        {
            foreach (var node in run.Directory(directory)?.Children ?? [])
            {
                if (node.Walk().Any(inner => IsContent(inner)))
                {
                    run.Report(node, node.IsDirectory ? "is a directory that will not be there" : "will not be there");
                }
            }
        }

        // A directory counts unless an engine needs it for a file of its own.
        static bool IsContent(RootNode node) =>
            !node.IsMount && !EngineFiles.Contains(node.Path) && !(node.IsDirectory && EngineFiles.Any(file => file.StartsWith(node.Path + "/", StringComparison.Ordinal)));
    }

    private static void BasePermissions(LintRun run)
    {
        foreach (var (path, mode) in (ReadOnlySpan<(string, uint)>)
            [("/", 0x1ed), ("/usr", 0x1ed), ("/etc", 0x1ed), ("/var", 0x1ed), ("/tmp", 0x3ff), ("/var/tmp", 0x3ff), ("/root", 0x1c0), ("/var/roothome", 0x1c0)])
        {
            if (run.Tree.Find(path) is not { IsDirectory: true, IsMount: false } node)
            {
                continue;
            }

            if (node.Uid != 0 || node.Gid != 0)
            {
                run.Report(node, $"belongs to {node.Uid}:{node.Gid}, not to root");
            }

            // Some systems keep root's own directory and the root closed more than others do; more open than this is wrong.
            var isWrong = mode == 0x3ff ? node.Permissions != mode : (node.Permissions & ~mode) != 0 || (mode == 0x1ed && (node.Permissions & 0x16d) != 0x16d);
            if (isWrong)
            {
                run.Report(node, $"has mode {Octal(node.Permissions)}, not {Octal(mode)}");
            }
        }
    }

    private static void TopLevelsAreEmpty(LintRun run)
    {
        if (EtcLints.RootIsTransient(run))
        {
            return;
        }

        foreach (var node in run.Tree.Root.Children)
        {
            if (KnownTopLevels.Contains(node.Name) || node.IsMount || node.IsLink)
            {
                continue;
            }

            if (!node.IsDirectory)
            {
                // Engines' own marks of what is a container.
                if (node.Name is not ".dockerenv" and not ".containerenv")
                {
                    run.Report(node, "is a file in the root");
                }
            }
            else if (MergedDirectories.Contains(node.Name))
            {
                run.Report(node, $"is a directory, not a link to usr/{node.Name}");
            }
            else if (node.Walk().Skip(1).FirstOrDefault(inner => !inner.IsDirectory && !inner.IsMount) is { } first)
            {
                run.Report(node, $"has content, such as {FileName.ForDisplay(first.Path)}");
            }
        }
    }

    internal static string Octal(uint mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');
}
