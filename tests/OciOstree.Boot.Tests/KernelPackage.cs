namespace OciOstree.Boot.Tests;

/// <summary>
/// Debian's kernel for virtual machines, unpacked once into the checkout's <c>.cache</c>: the image, and the modules that
/// a QEMU machine's disk and network need, in the order to load them.
/// </summary>
internal sealed class KernelPackage
{
    private static readonly string[] s_wanted = ["virtio_pci", "virtio_blk", "virtio_net"];

    private KernelPackage(string directory)
    {
        Directory = directory;
        Version = File.ReadAllText(Path.Combine(directory, "version")).Trim();
        Modules = File.ReadAllLines(Path.Combine(directory, "order"));
    }

    internal string Directory { get; }

    internal string Version { get; }

    internal IReadOnlyList<string> Modules { get; }

    internal string Image => Path.Combine(Directory, "vmlinuz");

    internal string ModulePath(string name) => Path.Combine(Directory, name + ".ko");

    internal static KernelPackage Get()
    {
        string cache = Path.Combine(OurProgram.CheckoutRoot, ".cache", "boot");
        string ready = Path.Combine(cache, "kernel");
        if (!System.IO.Directory.Exists(ready))
            Unpack(cache, ready);
        return new KernelPackage(ready);
    }

    private static void Unpack(string cache, string ready)
    {
        System.IO.Directory.CreateDirectory(cache);
        using var scratch = new ScratchDirectory("kernel");
        string name = Tool.Run("apt-cache", "depends", "linux-image-cloud-amd64").Ok().OutputLines
            .Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("Depends: linux-image-", StringComparison.Ordinal))?["Depends: ".Length..]
            ?? throw new ToolException("linux-image-cloud-amd64 is not among apt's packages: run apt-get update");
        string root = DebianPackage.Download(name, scratch);

        string all = System.IO.Directory.Exists(root + "/lib/modules") ? root + "/lib/modules" : root + "/usr/lib/modules";
        string version = Path.GetFileName(System.IO.Directory.GetDirectories(all).Single());
        if (!System.IO.Directory.Exists(root + "/lib"))
            File.CreateSymbolicLink(root + "/lib", "usr/lib");
        Tool.Run("depmod", "-b", root, version).Ok();

        DebianPackage.Keep(partial =>
        {
            System.IO.Directory.CreateDirectory(partial);
            File.Copy($"{root}/boot/vmlinuz-{version}", Path.Combine(partial, "vmlinuz"));
            var order = new List<string>();
            foreach (string wanted in s_wanted)
            {
                foreach (string line in Tool.Run("modprobe", "-d", root, "-S", version, "--show-depends", wanted).Ok().OutputLines)
                {
                    string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    if (words is not ["insmod", ..])
                        continue;   // "builtin virtio"
                    string module = Path.GetFileNameWithoutExtension(words[1]);
                    if (order.Contains(module))
                        continue;
                    order.Add(module);
                    File.Copy(words[1], Path.Combine(partial, module + ".ko"));
                }
            }
            File.WriteAllLines(Path.Combine(partial, "order"), order);
            File.WriteAllText(Path.Combine(partial, "version"), version);
        }, ready);
    }
}
