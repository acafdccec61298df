using OciOstree.Linux;

namespace OciOstree.Boot.Tests;

/// <summary>
/// An operating system of a few hundred files in ostree's layout: Debian's kernel, busybox, an initramfs with the real
/// <c>ostree-prepare-root</c>, and our executable with its libraries.
/// </summary>
internal static class BootTree
{
    private static string Guest => Path.Combine(AppContext.BaseDirectory, "guest");

    /// <summary>Makes the tree. <paramref name="version"/> is in <c>/usr/lib/version</c>; <paramref name="commands"/> are what the scenario runs.</summary>
    /// <param name="protection">What the initramfs and the tree are to know of composefs; null for an initramfs with Debian 12's ostree, which knows nothing of it.</param>
    /// <param name="fileSystem">What the root will be on, for which the initramfs has the modules.</param>
    internal static void Make(string root, KernelPackage kernel, string version, GuestCommands commands, RootProtection? protection = null, string fileSystem = "ext4")
    {
        foreach (string directory in (string[])["boot", "dev", "proc", "run", "sys", "sysroot", "var", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/libexec", "usr/etc", $"usr/lib/modules/{kernel.Version}"])
            Directory.CreateDirectory(Path.Combine(root, directory));
        foreach (var (name, target) in new[]
        {
            ("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib"), ("lib64", "usr/lib64"), ("ostree", "sysroot/ostree"), ("tmp", "run"),
            ("home", "var/home"), ("root", "var/roothome"), ("usr/sbin/init", "../bin/busybox"),
        })
            File.CreateSymbolicLink(Path.Combine(root, name), target);

        string busybox = root + "/usr/bin/busybox";
        File.Copy(FindBusybox(), busybox);
        foreach (string applet in Tool.Run(busybox, "--list").Ok().OutputLines)
        {
            if (applet != "busybox")
                File.CreateSymbolicLink($"{root}/usr/bin/{applet}", "busybox");
        }
        string ours = OurProgram.Path();
        File.Copy(ours, root + "/usr/bin/oci-ostree");
        File.CreateSymbolicLink(root + "/usr/bin/ostree", "oci-ostree");
        SharedLibraries.Copy(ours, root);
        // .NET opens OpenSSL by name, when it first needs a digest.
        foreach (string library in (string[])["libcrypto.so.3", "libssl.so.3"])
        {
            string path = Tool.Run("ldconfig", "-p").Ok().OutputLines.Select(line => line.Split(" => ")).Where(parts => parts.Length == 2 && parts[0].Trim().StartsWith(library + " (libc6,x86-64", StringComparison.Ordinal))
                .Select(parts => parts[1]).FirstOrDefault() ?? throw new ToolException($"{library} is not installed");
            File.Copy(path, root + path);
            SharedLibraries.Copy(path, root);
        }

        foreach (string script in (string[])["start", "scenario"])
            CopyScript(script, $"{root}/usr/libexec/{script}");
        CopyScript("systemctl", root + "/usr/bin/systemctl");
        // Only a system that has the unit stages.
        string unit = File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "examples/ostree-finalize-staged.service"));
        Directory.CreateDirectory(root + "/usr/lib/systemd/system");
        File.WriteAllText(root + "/usr/lib/systemd/system/ostree-finalize-staged.service", unit.Replace("@bindir@", "/usr/bin"));
        File.Copy(Path.Combine(Guest, "inittab"), root + "/usr/etc/inittab");
        File.WriteAllText(root + "/usr/lib/scenario.conf", commands.Configuration);
        File.WriteAllText(root + "/usr/lib/version", version + "\n");
        File.WriteAllText(root + "/usr/lib/os-release", $"ID=mini\nNAME=Mini\nVERSION_ID={version}\nPRETTY_NAME=\"Mini {version}\"\n");
        File.CreateSymbolicLink(root + "/usr/etc/os-release", "../usr/lib/os-release");
        File.WriteAllText(root + "/usr/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        File.WriteAllText(root + "/usr/etc/group", "root:x:0:\n");

        string modules = $"{root}/usr/lib/modules/{kernel.Version}";
        File.Copy(kernel.Image, modules + "/vmlinuz");
        if (protection is not null)
        {
            Directory.CreateDirectory(root + "/usr/lib/ostree");
            File.WriteAllText(root + "/usr/lib/ostree/prepare-root.conf", protection.Configuration);
        }
        MakeInitramfs(kernel, version, modules + "/initramfs.img", protection, kernel.Modules(fileSystem));
    }

    /// <summary>
    /// One of two versions of one system, which differ in everything that a merge of <c>/etc</c> looks at (<see cref="Judge.Life"/> judges it); it trusts
    /// the registry on the host.
    /// </summary>
    /// <returns>Where it is.</returns>
    internal static string MakeVersion(ScratchDirectory scratch, string version, GuestCommands commands, string fileSystem = "ext4")
    {
        string tree = scratch.MakeDirectory("tree" + version);
        Make(tree, KernelPackage.Get(), version, commands, fileSystem: fileSystem);
        scratch.Write($"tree{version}/usr/etc/hostname", $"mini-{version}\n");
        scratch.Write($"tree{version}/usr/etc/motto", $"of version {version}\n");
        scratch.Write($"tree{version}/usr/etc/containers/registries.conf", $"[[registry]]\nlocation = \"{VirtualMachine.Registry}\"\ninsecure = true\n");
        scratch.Write($"tree{version}/usr/etc/removed", "by the owner\n");
        if (version == "2")
            scratch.Write("tree2/usr/etc/added", "by version 2\n");
        return tree;
    }

    // The version in it makes each its own, so that a second deployment has a boot directory of its own too.
    private static void MakeInitramfs(KernelPackage kernel, string version, string target, RootProtection? protection, IReadOnlyList<string> load)
    {
        using var scratch = new ScratchDirectory("initramfs");
        string bin = scratch.MakeDirectory("bin"), modules = scratch.MakeDirectory("lib/modules"), ostree = scratch.MakeDirectory("usr/lib/ostree");
        File.Copy(FindBusybox(), bin + "/busybox");
        const string prepareRoot = "/usr/lib/ostree/ostree-prepare-root";
        if (protection is null)
        {
            if (!File.Exists(prepareRoot))
                throw new ToolException($"{prepareRoot} is missing: install ostree-boot");
            File.Copy(prepareRoot, ostree + "/ostree-prepare-root");
            SharedLibraries.Copy(prepareRoot, scratch.Path);
        }
        else
        {
            File.Copy(SidOstree.Root + prepareRoot, ostree + "/ostree-prepare-root");
            SharedLibraries.CopyOfSid(SidOstree.Root + prepareRoot, scratch.Path);
            scratch.Write("usr/lib/ostree/prepare-root.conf", protection.Configuration);
            if (protection.BindingKey is { } key)
                scratch.Write("etc/ostree/initramfs-root-binding.key", key);
        }
        foreach (string module in load)
            File.Copy(kernel.ModulePath(module), $"{modules}/{module}.ko");
        File.WriteAllLines(modules + "/order", load);
        CopyScript("init", scratch["init"]);
        scratch.Write("version", version);
        // The kernel's own console comes before any /dev is mounted.
        scratch.MakeDirectory("dev");
        Tool.Run("mknod", scratch["dev/console"], "c", "5", "1").Ok();
        Tool.Shell($"find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible | gzip -1n >'{target}'", scratch.Path).Ok();
    }

    internal static void CopyScript(string name, string target)
    {
        File.Copy(Path.Combine(Guest, name), target);
        using var file = Files.Open(target);
        Files.SetMode(file, 0x1ED, target);
    }

    private static string FindBusybox() => new[] { "/bin/busybox", "/usr/bin/busybox" }.FirstOrDefault(File.Exists)
        ?? throw new ToolException("busybox is missing: install busybox-static");
}
