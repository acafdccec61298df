using System.Text.Json;

namespace OciOstree.Interop.Tests.Machine;

/// <summary>Installing onto file systems and disks; that the result boots is the boot tests' to show.</summary>
public sealed class InstallTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("install");

    public InstallTests()
    {
        Tool.Shell("""
            mkdir -p tree/boot tree/dev tree/proc tree/run tree/sys tree/sysroot tree/tmp tree/var tree/usr/lib/modules/6.1 tree/usr/etc
            printf 'ID=os\nPRETTY_NAME="OS"\n' > tree/usr/lib/os-release
            echo kernel > tree/usr/lib/modules/6.1/vmlinuz; echo initramfs > tree/usr/lib/modules/6.1/initramfs.img
            """, scratch.Path).Ok();
        OurProgram.Run("init", "--repo", scratch["repo"], "--mode=bare").Ok();
        OurProgram.Run("commit", "--repo", scratch["repo"], "--branch=os", "--tree=dir=" + scratch["tree"], "--bootable").Ok();
        OurProgram.Run("container", "encapsulate", "--repo", scratch["repo"], "os", $"oci:{scratch["images"]}:os").Ok();
    }

    public void Dispose()
    {
        Tool.Shell($"umount -R {scratch.Path}/mnt || true");
        scratch.Dispose();
    }

    private string ImageReference => $"ostree-unverified-image:oci:{scratch["images"]}:os";

    private ToolResult Install(params string[] arguments) => OurProgram.Run(["install", .. arguments, "--imgref", ImageReference, "--quiet"]);

    private void MountNew(string make, string options = "loop")
    {
        scratch.MakeDirectory("mnt");
        Tool.Shell($"truncate -s 200M disk; {make} disk; mount -o {options} disk mnt", scratch.Path).Ok();
    }

    /// <summary>What an ordinary distribution has: its own kernel, configurations of boot loaders, and an EFI directory.</summary>
    private void MakeOther(string root) => Tool.Shell($"""
        cd {root}
        mkdir -p etc usr/bin var/lib home/user boot/grub boot/syslinux boot/efi/EFI/OTHER boot/efi/EFI/BOOT
        for file in etc/fstab usr/bin/program var/lib/data home/user/letter boot/vmlinuz-6.1 boot/initrd.img-6.1 boot/grub/grub.cfg boot/grub/grubenv boot/syslinux/syslinux.cfg \
          boot/efi/EFI/OTHER/grubx64.efi boot/efi/EFI/OTHER/grub.cfg boot/efi/EFI/BOOT/BOOTX64.EFI; do echo "theirs: $file" >$file; done
        ln -s boot/vmlinuz-6.1 vmlinuz; chown -R 1000:1000 home/user; chmod 600 boot/grub/grubenv
        """, scratch.Path).Ok();

    /// <summary>All that is mounted: names, kinds, owners, modes, inodes, times and content, but for what is below some paths.</summary>
    private string Listing(params string[] without)
    {
        string prune = string.Concat(without.Select(path => $"-path '{path}' -prune -o "));
        return Tool.Shell($"""
            find mnt {prune} -type d -printf '%p %i %m %U %G\n' -o -printf '%p %i %y %m %U %G %s %T@ %l\n' | LC_ALL=C sort
            find mnt {prune} -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
            """, scratch.Path).Ok().Output;
    }

    /// <summary>The installed system gets its next version, goes back, and cleans up.</summary>
    private void Live(string stateroot)
    {
        scratch.Write("tree/usr/lib/modules/6.1/vmlinuz", "a newer kernel\n");
        OurProgram.Run("commit", "--repo", scratch["repo"], "--branch=os", "--tree=dir=" + scratch["tree"], "--bootable").Ok();
        OurProgram.Run("container", "encapsulate", "--repo", scratch["repo"], "os", $"oci:{scratch["images"]}:os").Ok();
        OurProgram.Run("upgrade", "--sysroot", scratch["mnt"], "--stateroot", stateroot).Ok();
        OurProgram.Run("rollback", "--sysroot", scratch["mnt"]).Ok();
        OurProgram.Run("cleanup", "--sysroot", scratch["mnt"]).Ok();
    }

    [Fact]
    public void A_mounted_file_system_becomes_a_root_that_is_found_by_its_uuid()
    {
        MountNew("mkfs.ext4 -q -F -O ^64bit,^metadata_csum");
        scratch.Write("keys", "ssh-ed25519 AAAA owner\n");
        using (var json = JsonDocument.Parse(Install("to-filesystem", scratch["mnt"], "--bootloader=extlinux", "--json", "--karg=quiet", "--root-ssh-authorized-keys=" + scratch["keys"],
            "--target-imgref=ostree-unverified-registry:quay.io/example/os:stable").Ok().Output))
        {
            string uuid = Tool.Run("blkid", "-o", "value", "-s", "UUID", "-p", scratch["disk"]).Ok().OutputLine;
            Assert.Equal(uuid, json.RootElement.GetProperty("rootUuid").GetString());
            string entry = File.ReadAllText(Assert.Single(Directory.GetFiles(scratch["mnt/boot/loader/entries"])));
            Assert.Contains($"options root=UUID={uuid} rw quiet ostree=", entry);
            string deployment = scratch["mnt/" + json.RootElement.GetProperty("deployment").GetString()];
            Assert.Contains(Convert.ToBase64String("ssh-ed25519 AAAA owner\n"u8), File.ReadAllText(deployment + "/etc/tmpfiles.d/root-ssh-authorized-keys.conf"));
            Assert.Contains("container-image-reference=ostree-unverified-registry:quay.io/example/os:stable", File.ReadAllText(deployment + ".origin"));
        }
        Assert.True(File.Exists(scratch["mnt/boot/syslinux/ldlinux.sys"]));
        Assert.Contains("KERNEL /boot/ostree/default-", File.ReadAllText(scratch["mnt/boot/syslinux/syslinux.cfg"]));
        Assert.Equal("true", Tool.Run("ostree", $"--repo={scratch["mnt/ostree/repo"]}", "config", "get", "sysroot.readonly").Ok().OutputLine);
        Assert.Contains("default ", Tool.Run("ostree", "admin", "status", $"--sysroot={scratch["mnt"]}").Ok().Output);

        // A second system in a stateroot of its own, beside the first.
        Assert.Contains("is in use there", Install("to-filesystem", scratch["mnt"]).Failed().Error);
        Install("to-filesystem", scratch["mnt"], "--stateroot=second").Ok();
        Assert.Equal(2, Directory.GetFiles(scratch["mnt/boot/loader/entries"]).Length);
    }

    [Fact]
    public void In_a_subvolume_beside_another_system_nothing_of_it_is_touched()
    {
        MountNew("mkfs.btrfs -q");
        MakeOther("mnt");
        Tool.Shell("mkdir -p mnt/boot/loader/entries; echo theirs > mnt/boot/loader/entries/theirs.conf; btrfs -q subvolume create mnt/try", scratch.Path).Ok();
        string before = Listing("mnt/try");
        Assert.Contains("boot/loader belongs to another system", Install("to-filesystem", scratch["mnt"]).Failed().Error);
        Assert.Contains("is not a mount point", Install("to-filesystem", scratch["mnt/try"]).Failed().Error);
        Assert.Equal(before, Listing("mnt/try"));

        // As the documentation says it.
        Tool.Shell("umount mnt; mount -o loop,subvol=try disk mnt", scratch.Path).Ok();
        ToolResult result = Install("to-filesystem", scratch["mnt"], "--bootloader=grub").Ok();
        Assert.Contains("configfile /try/boot/grub/grub.cfg", result.Error);
        string config = File.ReadAllText(scratch["mnt/boot/grub/grub.cfg"]);
        Assert.Contains("linux /try/boot/ostree/default-", config);
        Assert.Contains("rootflags=subvol=try rw", config);
        Tool.Run("grub-script-check", scratch["mnt/boot/grub/grub.cfg"]).Ok();
        Tool.Run("grub-script-check", scratch.Write("40_custom", result.Error[result.Error.IndexOf("menuentry", StringComparison.Ordinal)..])).Ok();
        string entryUuid = Tool.Run("blkid", "-o", "value", "-s", "UUID", "-p", scratch["disk"]).Ok().OutputLine;
        Assert.Contains($"search --no-floppy --fs-uuid --set=root {entryUuid}\n", result.Error);

        // Nor later, when it moves on and cleans up.
        Live("default");
        Assert.Equal(2, Directory.GetFiles(scratch["mnt/boot/loader/entries"]).Length);
        Tool.Run("grub-script-check", scratch["mnt/boot/grub/grub.cfg"]).Ok();
        Tool.Shell("umount mnt; mount -o loop,subvolid=5 disk mnt", scratch.Path).Ok();
        Assert.Equal(before, Listing("mnt/try"));
    }

    [Fact]
    public void On_the_root_of_another_system_only_what_is_ostrees_is_added()
    {
        MountNew("mkfs.ext4 -q -F");
        MakeOther("mnt");
        string before = Listing();
        foreach (string loader in (string[])["grub", "extlinux"])
        {
            Assert.Contains("cfg belongs to another system", Install("to-filesystem", scratch["mnt"], "--bootloader=" + loader).Failed().Error);
            Assert.Equal(before, Listing());
        }

        Install("to-filesystem", scratch["mnt"], "--stateroot=try").Ok();
        Live("try");
        Assert.Equal(before, Listing("mnt/ostree", "mnt/boot/boot", "mnt/boot/ostree", "mnt/boot/loader", "mnt/boot/loader.0", "mnt/boot/loader.1"));
    }

    [Fact]
    public void Beside_another_ostree_system_its_deployments_and_entries_stay()
    {
        MountNew("mkfs.ext4 -q -F");
        MakeOther("mnt");
        // The other is the real program's.
        Tool.Shell("""
            rm -r mnt/boot/syslinux
            ostree admin init-fs mnt; ostree admin os-init --sysroot=mnt other
            ostree config --repo=mnt/ostree/repo set sysroot.bootloader none
            cp -a tree other; echo another kernel > other/usr/lib/modules/6.1/vmlinuz
            ostree commit --repo=mnt/ostree/repo --branch=other/os --tree=dir=other --bootable
            ostree admin deploy --sysroot=mnt --os=other --karg=root=LABEL=other --karg=rw other/os
            for etc in mnt/ostree/deploy/other/deploy/*.0/etc; do echo edited > $etc/hostname; done; echo data > mnt/ostree/deploy/other/var/data
            """, scratch.Path).Ok();
        string before = Listing("mnt/ostree/repo", "mnt/ostree/boot.*", "mnt/boot/loader", "mnt/boot/loader.*"), entry = EntryOfOther();
        Assert.Contains("root=LABEL=other rw", entry);
        string everything = Listing();
        Assert.Contains("has its boot loader (sysroot.bootloader=none)", Install("to-filesystem", scratch["mnt"], "--stateroot=second", "--bootloader=extlinux").Failed().Error);
        Assert.Contains("is in use there", Install("to-filesystem", scratch["mnt"], "--stateroot=other").Failed().Error);
        Assert.Equal(everything, Listing());

        Install("to-filesystem", scratch["mnt"], "--stateroot=second").Ok();
        Assert.Equal(entry, EntryOfOther());
        Live("second");
        Assert.Equal(entry, EntryOfOther());
        Assert.Equal(before, Listing("mnt/ostree/repo", "mnt/ostree/boot.*", "mnt/boot/loader", "mnt/boot/loader.*", "mnt/ostree/deploy/second", "mnt/boot/ostree/second-*"));
        Assert.Contains("other/os", Tool.Run("ostree", "refs", $"--repo={scratch["mnt/ostree/repo"]}").Ok().OutputLines);
        Tool.Run("ostree", "fsck", "-q", $"--repo={scratch["mnt/ostree/repo"]}").Ok();
        Assert.Contains("  other ", Tool.Run("ostree", "admin", "status", $"--sysroot={scratch["mnt"]}").Ok().Output);

        // All but its title, in which ostree counts the deployments, and the directory of the two that take turns.
        string EntryOfOther() => string.Join('\n', Assert.Single(Directory.GetFiles(scratch["mnt/boot/loader/entries"]).Select(File.ReadAllLines), lines => lines.Any(line => line.Contains("/other/")))
            .Where(line => !line.StartsWith("title ", StringComparison.Ordinal))).Replace("/ostree/boot.0/", "/ostree/boot.1/");
    }

    [Fact]
    public void A_disk_is_not_taken_from_what_is_on_it()
    {
        string disk = scratch["disk.img"];
        Assert.Contains("--size", Install("to-disk", disk, "--bootloader=none").Failed().Error);
        Install("to-disk", disk, "--bootloader=none", "--size=400M").Ok();
        string table = Tool.Run("sfdisk", "--dump", disk).Ok().Output;
        Assert.Contains("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", table);
        Assert.Contains("There is something on", Install("to-disk", disk, "--bootloader=none").Failed().Error);
        Assert.Equal(table, Tool.Run("sfdisk", "--dump", disk).Ok().Output);
        Assert.Equal(2, Install("to-disk", disk, "--bootloader=lilo").ExitCode);
        Assert.Equal(2, Install("to-disk", scratch["other.img"], "--bootloader=none", "--size=lots").ExitCode);
        Assert.Contains("too small", Install("to-disk", scratch["other.img"], "--bootloader=none", "--size=100M").Failed().Error);
        Assert.Contains("is needed", Install("to-disk", scratch["third.img"], "--bootloader=systemd-boot", "--size=400M", "--loader-files=" + scratch["tree"]).Error);
        Assert.DoesNotContain(scratch.Path, Tool.Run("losetup", "-a").Ok().Output);
    }
}
