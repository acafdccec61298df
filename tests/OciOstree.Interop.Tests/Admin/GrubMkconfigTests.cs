namespace OciOstree.Interop.Tests.Admin;

/// <summary>Debian's grub-mkconfig with ostree's own script in <c>/etc/grub.d</c>, which asks <c>ostree</c> for the menu entries: ours gives it what the real one does.</summary>
public sealed class GrubMkconfigTests : IDisposable
{
    // grub-probe would have to find the disk under a loop device; what it answers does not matter here.
    private const string Probe = """
        #!/bin/sh
        for word in "$@"; do case $word in --target=*) target=${word#--target=} ;; esac; done
        case $target in
          device) echo /dev/sda1 ;; fs_uuid) echo 1111-2222 ;; fs) echo ext2 ;; partmap) echo msdos ;; drive) echo '(hd0,msdos1)' ;; compatibility_hint) echo hd0,msdos1 ;;
          *) echo ;;
        esac

        """;

    private readonly AdminScene scene = new();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void The_configuration_has_our_entries_and_is_the_real_ones()
    {
        scene.MakeSysroot("root", AdminProgram.Real);
        foreach (string version in new[] { "os/v1", "os/v5" })
        {
            AdminProgram.Real.Run("deploy", $"--sysroot={scene["root"]}", "--os=testos", "--karg=root=LABEL=x", "--karg-append=quiet", version).Ok();
        }
        File.WriteAllText(scene["probe"], Probe);
        string output = Tool.Run("unshare", "-m", "--propagation", "private", "sh", "-euc", """
            root=$1 probe=$2 ours=$3
            cd "$root"
            mkdir -p usr etc/default boot/grub dev proc sys tmp
            for link in bin sbin lib lib64; do ln -s usr/$link $link; done
            for place in usr dev sys; do mount --rbind /$place $place; done
            mount -t proc proc proc
            cp -a /etc/grub.d /etc/alternatives etc/; rm -f etc/grub.d/05_debian_theme etc/grub.d/10_linux etc/grub.d/20_linux_xen etc/grub.d/30_*
            printf 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=1\nGRUB_TERMINAL=console\n' >etc/default/grub
            chmod 755 "$probe"; mount --bind "$probe" usr/sbin/grub-probe
            chroot . /bin/sh -c 'PATH=/usr/sbin:/usr/bin grub-mkconfig -o /boot/real.cfg' 2>&1
            mkdir -p ".$ours"; mount --rbind "$ours" ".$ours"
            [ -z "$4" ] || { mkdir -p ".$4"; mount --rbind "$4" ".$4"; }
            chroot . /bin/sh -c "PATH=$ours:/usr/sbin:/usr/bin grub-mkconfig -o /boot/ours.cfg" 2>&1
            chroot . grub-script-check /boot/ours.cfg
            """, "test", scene["root"], scene["probe"], Path.GetDirectoryName(OurProgram.Path("ostree"))!, Path.Combine(OurProgram.CheckoutRoot, "artifacts")).Ok().Output;
        string real = File.ReadAllText(scene["root/boot/real.cfg"]), ours = File.ReadAllText(scene["root/boot/ours.cfg"]);
        Assert.Equal(real, ours);
        Assert.Contains("done", output);
        Assert.Equal(2, ours.Split("menuentry 'Test OS ").Length - 1);
        Assert.Contains("root=LABEL=x quiet ostree=/ostree/boot.", ours);
    }
}
