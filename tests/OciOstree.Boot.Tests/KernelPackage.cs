using System.Security.Cryptography;
using System.Text;

namespace OciOstree.Boot.Tests;

/// <summary>
/// Debian's kernel for virtual machines, unpacked once into the checkout's <c>.cache</c>: the image, and the modules that
/// a QEMU machine's disk and network need, in the order to load them; beside them those of file systems, which few initramfs have to carry.
/// </summary>
internal sealed class KernelPackage
{
    private const string Name = "linux-image-cloud-amd64";
    private static readonly string[] Wanted = ["virtio_pci", "virtio_blk", "virtio_net"];
    private static readonly string[] FileSystems = ["xfs", "btrfs"];

    private KernelPackage(string directory)
    {
        Directory = directory;
        Version = File.ReadAllText(Path.Combine(directory, "version")).Trim();
    }

    internal string Directory { get; }

    internal string Version { get; }

    internal string Image => Path.Combine(Directory, "vmlinuz");

    /// <summary>What a guest loads, one after the other, whose root is of that file system; ext4 is the kernel's own.</summary>
    internal IReadOnlyList<string> Modules(string fileSystem)
    {
        string[] all = File.ReadAllLines(Path.Combine(Directory, "order"));
        return fileSystem == "ext4" ? all : [.. all, .. File.ReadAllLines(Path.Combine(Directory, "order." + fileSystem))];
    }

    internal string ModulePath(string name) => Path.Combine(Directory, name + ".ko");

    /// <summary>This machine's release of it.</summary>
    internal static KernelPackage Get() => Get("kernel", (scratch, _) =>
    {
        string name = Tool.Run("apt-cache", "depends", Name).Ok().OutputLines
            .Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("Depends: linux-image-", StringComparison.Ordinal))?["Depends: ".Length..]
            ?? throw new ToolException($"{Name} is not among apt's packages: run apt-get update");
        return DebianPackage.Download(name, scratch);
    }, Wanted, FileSystems);

    /// <summary>The one of Debian 13, which has what composefs needs: erofs, and an overlay that checks fs-verity digests (Linux 6.6).</summary>
    internal static KernelPackage GetNewer() => Get("kernel-newer", (scratch, root) =>
    {
        Tool.Run(Path.Combine(OurProgram.CheckoutRoot, "build", "unpack-debian"), "--depends=linux-image-[0-9]*", "trixie", root, Name).Ok();
        return root;
    }, [.. Wanted, "erofs", "overlay", "loop"], []);

    private static KernelPackage Get(string name, Func<ScratchDirectory, string, string> unpack, string[] wanted, string[] fileSystems)
    {
        string cache = Path.Combine(OurProgram.CheckoutRoot, ".cache", "boot");
        // A cache that was made for other modules is another one.
        byte[] list = Encoding.ASCII.GetBytes(string.Join(' ', [.. wanted, .. fileSystems]));
        string ready = Path.Combine(cache, $"{name}-{Convert.ToHexStringLower(SHA256.HashData(list))[..8]}");
        if (!System.IO.Directory.Exists(ready))
        {
            System.IO.Directory.CreateDirectory(cache);
            using var scratch = new ScratchDirectory("kernel");
            Collect(unpack(scratch, scratch["unpacked"]), ready, wanted, fileSystems);
        }
        return new KernelPackage(ready);
    }

    /// <summary>Takes the image and the modules from an unpacked package.</summary>
    private static void Collect(string root, string ready, string[] wanted, string[] fileSystems)
    {
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
            foreach (string name in wanted)
                Take(name, order, partial);
            File.WriteAllLines(Path.Combine(partial, "order"), order);
            foreach (string name in fileSystems)
            {
                var all = order.ToList();
                Take(name, all, partial);
                File.WriteAllLines(Path.Combine(partial, "order." + name), all.Skip(order.Count));
            }
            File.WriteAllText(Path.Combine(partial, "version"), version);
        }, ready);

        // The module and what it needs, unless it is in the order already.
        void Take(string name, List<string> order, string partial)
        {
            foreach (string line in Tool.Run("modprobe", "-d", root, "-S", version, "--show-depends", name).Ok().OutputLines)
            {
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words is not ["insmod", ..])
                    continue;   // "builtin virtio"
                string file = Path.GetFileName(words[1]), module = file[..file.IndexOf(".ko", StringComparison.Ordinal)];
                if (order.Contains(module))
                    continue;
                order.Add(module);
                // What loads modules in the guest cannot decompress.
                if (file.EndsWith(".xz", StringComparison.Ordinal))
                    Tool.Shell($"xz -dc '{words[1]}' >'{module}.ko'", partial).Ok();
                else
                    File.Copy(words[1], Path.Combine(partial, module + ".ko"), overwrite: true);
            }
        }
    }
}
