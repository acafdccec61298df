using System.Text;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>
/// Makes a mounted file system a system root, and gives it what a first deployment alone does not have. Beside another system it adds only what is ostree's own:
/// <c>ostree/</c>, <c>boot/ostree</c> and <c>boot/loader</c>.
/// </summary>
public sealed class Installation
{
    private readonly RootMount root;
    private readonly InstallLoader loader;

    public Installation(RootMount root, InstallLoader loader)
    {
        this.root = root;
        this.loader = loader;
    }

    private string Boot => Path.Combine(root.Path, "boot");

    /// <summary>Whether <c>/boot</c> is a file system of its own.</summary>
    private bool HasOwnBoot => Files.TryStatus(Boot) is { } boot && Files.TryStatus(this.root.Path) is { } root && boot.Device != root.Device;

    /// <summary>Makes repository, stateroot and boot loader configuration; opened, the sysroot is ready for a deployment.</summary>
    /// <exception cref="SysrootException">Another system boots by <c>boot/loader</c>, or the stateroot has deployments already.</exception>
    public Sysroot Begin(string stateroot, SysrootOptions options)
    {
        if (Files.TryStatus(Path.Combine(Boot, "loader"), followLinks: false) is { IsSymbolicLink: false })
        {
            throw new SysrootException($"{Boot}/loader belongs to another system: install into a file system or btrfs subvolume with a /boot of its own");
        }
        bool exists = File.Exists(Path.Combine(root.Path, "ostree/repo/config"));
        if (!exists)
        {
            Sysroot.Initialize(root.Path, epoch: 1);
        }
        // Without a stateroot it is nobody's yet, perhaps left by an installation that was cut short.
        if (!exists || !Directory.Exists(Path.Combine(root.Path, "ostree/deploy")) || Directory.GetDirectories(Path.Combine(root.Path, "ostree/deploy")).Length == 0)
        {
            Configure();
        }
        try
        {
            PrepareLoader();
        }
        catch (LinuxException e)
        {
            throw new SysrootException($"Preparing {Boot}", e);
        }
        Sysroot sysroot = Sysroot.Open(root.Path, options);
        try
        {
            if (sysroot.Deployments.Any(deployment => deployment.Stateroot == stateroot))
            {
                throw new SysrootException($"The stateroot {stateroot} is in use there: choose another by --stateroot");
            }
            sysroot.EnsureStateroot(stateroot);
            return sysroot;
        }
        catch
        {
            sysroot.Dispose();
            throw;
        }
    }

    /// <summary>Lets root log in by ssh: written so that systemd-tmpfiles makes the file at boot, as root's home is in <c>/var</c>.</summary>
    public static void AddAuthorizedKeys(Sysroot sysroot, Deployment deployment, byte[] keys)
    {
        using LinuxDirectory root = sysroot.OpenDeployment(deployment);
        root.MakePath("etc/tmpfiles.d", 0x1ED /* 0755 */);
        using LinuxDirectory directory = root.OpenDirectory("etc/tmpfiles.d");
        string rules = $"d /root/.ssh 700 root root -\nf~ /root/.ssh/authorized_keys 600 root root - {Convert.ToBase64String(keys)}\n";
        directory.ReplaceFile("root-ssh-authorized-keys.conf", Encoding.ASCII.GetBytes(rules), 0x180 /* 0600 */, sync: true);
    }

    /// <summary>Has <c>/boot</c> mounted, unless the image or somebody else has said how.</summary>
    public static void AddBootMount(Sysroot sysroot, Deployment deployment, string uuid, string type)
    {
        using LinuxDirectory root = sysroot.OpenDeployment(deployment);
        using LinuxDirectory? etc = root.TryOpenDirectory("etc");
        string table = Encoding.UTF8.GetString(etc?.TryReadAllBytes("fstab", 1 << 20) ?? []);
        if (etc is null || table.Split('\n').Any(line => !line.StartsWith('#') && line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, "/boot", ..]))
        {
            return;
        }
        if (table.Length > 0 && !table.EndsWith('\n'))
        {
            table += "\n";
        }
        etc.ReplaceFile("fstab", Encoding.UTF8.GetBytes($"{table}UUID={uuid} /boot {type} defaults 0 2\n"), 0x1A4 /* 0644 */, sync: true);
    }

    /// <summary>Puts extlinux into <c>boot/syslinux</c>; the disk's own boot sector is its owner's.</summary>
    public static void InstallExtlinux(string root) => RequiredProgram.Run("extlinux", ["--install", Path.Combine(root, "boot/syslinux")]);

    private void Configure()
    {
        using Repo repo = Repo.Open(Path.Combine(root.Path, "ostree/repo"));
        KeyFile config = repo.Config.Clone();
        config.SetString("sysroot", "bootloader", loader switch
        {
            InstallLoader.Extlinux => "syslinux",
            InstallLoader.Grub => "grub2",
            _ => "none",
        });
        config.SetBoolean("sysroot", "readonly", true);
        // GRUB's configuration finds the prefix itself; those that read entries need it in them.
        config.SetBoolean("sysroot", "bootprefix", !HasOwnBoot && loader != InstallLoader.Grub);
        repo.WriteConfig(config);
    }

    /// <summary>The links by which a boot loader's configuration changes with the deployments. What is there stays.</summary>
    private void PrepareLoader()
    {
        (string Directory, string File, string Content)? own = this.loader switch
        {
            InstallLoader.Extlinux => ("syslinux", "syslinux.cfg", "DEFAULT ostree:0\nTIMEOUT 20\nPROMPT 0\n"),
            InstallLoader.Grub => ("grub", "grub.cfg", "# Nothing is deployed yet.\n"),
            _ => null,
        };
        if (own is not { } loader)
        {
            return;
        }
        using LinuxDirectory boot = LinuxDirectory.Open(Boot);
        if (boot.TryStatus("loader") is null)
        {
            boot.MakePath("loader.0", 0x1ED /* 0755 */);
            boot.MakeSymbolicLink("loader.0", "loader");
        }
        boot.MakePath(loader.Directory, 0x1ED /* 0755 */);
        using LinuxDirectory directory = boot.OpenDirectory(loader.Directory);
        if (directory.TryStatus(loader.File) is { } there)
        {
            if (!there.IsSymbolicLink)
            {
                throw new SysrootException($"{Boot}/{loader.Directory}/{loader.File} belongs to another system: install into a file system or btrfs subvolume with a /boot of its own");
            }
            return;
        }
        directory.MakeSymbolicLink($"../loader/{loader.File}", loader.File);
        using LinuxDirectory current = boot.OpenDirectory("loader", followLinks: true);
        if (!current.Exists(loader.File))
        {
            current.ReplaceFile(loader.File, Encoding.ASCII.GetBytes(loader.Content), 0x1A4 /* 0644 */, sync: false);
        }
    }
}
