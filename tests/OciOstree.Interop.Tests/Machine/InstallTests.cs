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
    public void Beside_another_system_nothing_of_it_is_touched()
    {
        MountNew("mkfs.btrfs -q");
        Tool.Shell("mkdir -p mnt/boot/loader/entries mnt/boot/grub; echo theirs > mnt/boot/loader/entries/theirs.conf; echo theirs > mnt/boot/grub/grub.cfg; btrfs -q subvolume create mnt/try", scratch.Path).Ok();
        Assert.Contains("boot/loader belongs to another system", Install("to-filesystem", scratch["mnt"]).Failed().Error);
        Assert.Contains("is not a mount point", Install("to-filesystem", scratch["mnt/try"]).Failed().Error);
        Assert.False(Directory.Exists(scratch["mnt/ostree"]));

        Tool.Shell("umount mnt; mount -o loop,subvol=try disk mnt", scratch.Path).Ok();
        ToolResult result = Install("to-filesystem", scratch["mnt"], "--bootloader=grub").Ok();
        Assert.Contains("configfile /try/boot/grub/grub.cfg", result.Error);
        string config = File.ReadAllText(scratch["mnt/boot/grub/grub.cfg"]);
        Assert.Contains("linux /try/boot/ostree/default-", config);
        Assert.Contains("rootflags=subvol=try rw", config);
        Tool.Shell("umount mnt; mount -o loop,subvolid=5 disk mnt", scratch.Path).Ok();
        Assert.Equal("theirs\n", File.ReadAllText(scratch["mnt/boot/grub/grub.cfg"]));
        Assert.Equal(["theirs.conf"], Directory.GetFiles(scratch["mnt/boot/loader/entries"]).Select(Path.GetFileName));
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
