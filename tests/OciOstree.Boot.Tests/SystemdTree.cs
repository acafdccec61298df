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
    internal static void MakeOverlay(ScratchDirectory scratch, string name, string version, GuestCommands commands, bool ownUnit)
    {
        string root = scratch.MakeDirectory(name);
        const string units = "usr/lib/systemd/system";
        foreach (string directory in (string[])["usr/bin", "usr/libexec", units + "/multi-user.target.wants", "usr/etc/systemd/network"])
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
            After=multi-user.target network-online.target ostree-finalize-staged.path
            Wants=network-online.target
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
            string unit = File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "examples/ostree-finalize-staged.service"));
            scratch.Write($"{name}/{units}/ostree-finalize-staged.service", unit.Replace("@bindir@", "/usr/bin"));
        }

        void Enable(string unit) => File.CreateSymbolicLink($"{root}/{units}/multi-user.target.wants/{unit}", "../" + unit);
    }
}
