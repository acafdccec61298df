using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>
/// Makes a mounted file system a system root, and gives it what a first deployment alone does not have. Beside another system it adds only what is ostree's own:
/// <c>ostree/</c>, <c>boot/ostree</c>, <c>boot/loader</c>, which is a link to <c>loader.0</c> or <c>loader.1</c>, and the link <c>boot/boot</c>.
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

    /// <summary>What <c>sysroot.bootloader</c> says of it.</summary>
    private string ConfiguredName => loader switch
    {
        InstallLoader.Extlinux => "syslinux",
        InstallLoader.Grub => "grub2",
        _ => "none",
    };

    /// <summary>The file below <c>/boot</c> that the boot loader reads, and what it says before the first deployment; null for those that read the entries.</summary>
    private (string Directory, string File, string Content)? LoaderFile => loader switch
    {
        InstallLoader.Extlinux => ("syslinux", "syslinux.cfg", "DEFAULT ostree:0\nTIMEOUT 20\nPROMPT 0\n"),
        InstallLoader.Grub => ("grub", "grub.cfg", "# Nothing is deployed yet.\n"),
        _ => null,
    };

    /// <summary>Makes repository, stateroot and boot loader configuration; opened, the sysroot is ready for a deployment.</summary>
    /// <exception cref="SysrootException">Another system boots by <c>boot/loader</c> or has the boot loader's configuration, or the stateroot has deployments already. Nothing has been written then.</exception>
    public Sysroot Begin(string stateroot, SysrootOptions options)
    {
        bool exists = File.Exists(Path.Combine(root.Path, "ostree/repo/config"));
        // Without a stateroot it is nobody's yet, perhaps left by an installation that was cut short.
        bool isOurs = !exists || !Directory.Exists(Path.Combine(root.Path, "ostree/deploy")) || Directory.GetDirectories(Path.Combine(root.Path, "ostree/deploy")).Length == 0;
        RefuseOthers();
        if (!isOurs)
        {
            RefuseInUse(stateroot, options);
        }
        if (!exists)
        {
            Sysroot.Initialize(root.Path, epoch: 1);
        }
        if (isOurs)
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
            sysroot.EnsureStateroot(stateroot);
            return sysroot;
        }
        catch
        {
            sysroot.Dispose();
            throw;
        }
    }

    /// <summary>What is not ours to replace: entries, and a boot loader's configuration that is no link into <c>boot/loader</c>.</summary>
    private void RefuseOthers()
    {
        foreach (string name in LoaderFile is { } own ? (string[])["loader", $"{own.Directory}/{own.File}"] : ["loader"])
        {
            if (Files.TryStatus(Path.Combine(Boot, name), followLinks: false) is { IsSymbolicLink: false })
            {
                throw new SysrootException($"{Boot}/{name} belongs to another system: install into a file system or btrfs subvolume with a /boot of its own");
            }
        }
    }

    /// <summary>Beside another ostree system: the stateroot has to be free, and the boot loader is that system's.</summary>
    private void RefuseInUse(string stateroot, SysrootOptions options)
    {
        using Sysroot sysroot = Sysroot.Open(root.Path, options);
        if (sysroot.Deployments.Any(deployment => deployment.Stateroot == stateroot))
        {
            throw new SysrootException($"The stateroot {stateroot} is in use there: choose another by --stateroot");
        }
        string bootloader = sysroot.Repo.Config.GetString("sysroot", "bootloader") ?? "auto";
        if (loader != InstallLoader.None && bootloader != ConfiguredName)
        {
            throw new SysrootException($"An ostree system is there already, and has its boot loader (sysroot.bootloader={bootloader}): leave --bootloader out");
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
        // A link in an image means what it leads to in there.
        using SafeFileHandle? fstab = root.TryOpenInRoot("etc/fstab");
        string table = fstab is null ? "" : Encoding.UTF8.GetString(Files.ReadAll(fstab, 1 << 20, "etc/fstab"));
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
        config.SetString("sysroot", "bootloader", ConfiguredName);
        config.SetBoolean("sysroot", "readonly", true);
        // GRUB's configuration finds the prefix itself; those that read entries need it in them.
        config.SetBoolean("sysroot", "bootprefix", !HasOwnBoot && loader != InstallLoader.Grub);
        repo.WriteConfig(config);
    }

    /// <summary>The links by which a boot loader's configuration changes with the deployments. What is there stays.</summary>
    private void PrepareLoader()
    {
        if (LoaderFile is not { } loader)
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
        if (directory.TryStatus(loader.File) is not null)
        {
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
