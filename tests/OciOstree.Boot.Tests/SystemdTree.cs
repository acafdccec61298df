using OciOstree.Linux;

namespace OciOstree.Boot.Tests;

/// <summary>
/// A whole Debian with systemd, dracut's initramfs and the real ostree's units (<c>examples/debian-tree</c>, kept in <c>.cache</c>), and what a test lays over it:
/// our executable, a network address, and the scenario as a unit.
/// </summary>
internal static class SystemdTree
{
    /// <summary>The Debian system, made when it is first asked for.</summary>
    internal static string Base() => DebianTree.Path();

    /// <summary>Makes what goes over the base: <c>--tree=dir=BASE --tree=dir=OVERLAY</c> is one version of the system.</summary>
    /// <param name="ownUnit">Whether our unit takes the place of ostree's own <c>ostree-finalize-staged.service</c>.</param>
    /// <param name="isHealthy">Whether the check of its health, which the units that we ship run, passes.</param>
    internal static void MakeOverlay(ScratchDirectory scratch, string name, string version, GuestCommands commands, bool ownUnit, bool isHealthy)
    {
        string root = scratch.MakeDirectory(name);
        const string units = "usr/lib/systemd/system";
        foreach (string directory in (string[])["usr/bin", "usr/libexec", "usr/lib/oci-ostree/boot-check.d", units + "/sysinit.target.wants", units + "/boot-complete.target.requires", units + "/basic.target.wants", units + "/multi-user.target.wants", "usr/etc/systemd/network"])
            Directory.CreateDirectory(Path.Combine(root, directory));
        // What an overlaid directory's mode is, the tree's becomes.
        Tool.Run("chmod", "-R", "u=rwX,go=rX", root).Ok();

        File.Copy(OurProgram.Path(), root + "/usr/bin/oci-ostree");
        BootTree.CopyScript("scenario", root + "/usr/libexec/scenario");
        scratch.Write(name + "/usr/lib/scenario.conf", commands.Configuration);
        scratch.Write(name + "/usr/lib/version", version + "\n");
        scratch.Write($"{name}/{units}/scenario.service", """
            [Unit]
            Description=A machine's story
            After=multi-user.target network-online.target ostree-finalize-staged.path oci-ostree-boot-check.service blessed.service
            Wants=network-online.target
            # An image that fails its check tells its story in the check, and is rebooted by its judge.
            ConditionPathExists=!/run/failed
            [Service]
            Type=oneshot
            ExecStart=/usr/libexec/scenario
            TimeoutStartSec=infinity

            """);
        Enable("scenario.service");
        Enable("systemd-networkd.service");
        scratch.Write(name + "/usr/etc/systemd/network/10-guest.network", "[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n");
        if (ownUnit)
        {
            Ship("ostree-finalize-staged.service");
        }
        AddHealth();

        // As the units' [Install] sections say.
        void AddHealth()
        {
            Ship("oci-ostree-boot-begin.service");
            Ship("oci-ostree-boot-check.service");
            Enable("oci-ostree-boot-begin.service", "sysinit.target.wants");
            Enable("oci-ostree-boot-check.service");
            Enable("oci-ostree-boot-check.service", "boot-complete.target.requires");
            scratch.Write(name + "/usr/etc/oci-ostree/boot-check.conf", "MAX_BOOT_ATTEMPTS=2\n");
            const string check = "/usr/lib/oci-ostree/boot-check.d/service";
            scratch.Write(name + check, isHealthy ? "#!/bin/sh\nexit 0\n" : """
                #!/bin/sh
                exec >/dev/ttyS1
                [ ! -e /run/failed ] || { echo $(cat /var/lib/boots) again $INVOCATION_ID; exit 1; }
                touch /run/failed
                boot=$(($(cat /var/lib/boots) + 1))
                echo $boot >/var/lib/boots
                echo $boot version $(cat /usr/lib/version)
                echo $boot cmdline $(cat /proc/cmdline)
                echo $boot var-keep $(cat /var/lib/keep)
                echo $boot etc hostname $(cat /etc/hostname)
                exit 1

                """);
            Tool.Run("chmod", "755", root + check).Ok();
            // What systemd-bless-boot-generator adds where systemd-boot has counted.
            scratch.Write($"{name}/{units}/blessed.service", """
                [Unit]
                DefaultDependencies=no
                Requires=boot-complete.target
                After=local-fs.target boot-complete.target
                Conflicts=shutdown.target
                Before=shutdown.target
                [Service]
                Type=oneshot
                RemainAfterExit=yes
                ExecStart=/bin/true

                """);
            Enable("blessed.service", "basic.target.wants");
        }

        void Ship(string unit) =>
            scratch.Write($"{name}/{units}/{unit}", File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "examples", unit)).Replace("@bindir@", "/usr/bin"));

        void Enable(string unit, string where = "multi-user.target.wants") => File.CreateSymbolicLink($"{root}/{units}/{where}/{unit}", "../" + unit);
    }
}
