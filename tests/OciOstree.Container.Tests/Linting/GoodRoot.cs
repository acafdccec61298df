namespace OciOstree.Container.Tests;

/// <summary>A root that no lint objects to; tests break it in one place.</summary>
internal sealed class GoodRoot : IDisposable
{
    private readonly ScratchDirectory scratch = new("lint");

    public GoodRoot() => Shell("""
        mkdir -p root && cd root
        mkdir -p dev proc sys run tmp var/tmp var/log var/lib boot sysroot opt etc/ssh etc/systemd root \
            usr/bin usr/lib/modules/6.1 usr/lib/ostree usr/lib/tmpfiles.d usr/lib/sysusers.d usr/lib/bootc/kargs.d
        chmod 0755 . usr etc var && chmod 1777 tmp var/tmp && chmod 0700 root
        ln -s sysroot/ostree ostree; ln -s usr/bin bin; ln -s ../run var/run
        echo kernel > usr/lib/modules/6.1/vmlinuz; echo initramfs > usr/lib/modules/6.1/initramfs.img
        printf '[composefs]\nenabled = yes\n' > usr/lib/ostree/prepare-root.conf
        printf 'd /var/lib 0755 - - -\n' > usr/lib/tmpfiles.d/var.conf
        printf 'u root 0 "Super User" /root\nu daemon 1 - -\n' > usr/lib/sysusers.d/basic.conf
        printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\n' > etc/passwd
        printf 'root:x:0:\ndaemon:x:1:\n' > etc/group
        printf 'kargs = ["quiet"]\n' > usr/lib/bootc/kargs.d/10-quiet.toml
        printf 'uninitialized\n' > etc/machine-id
        cp /bin/true usr/bin/true
        """);

    public string Path => scratch["root"];

    public void Shell(string script) => Tool.Run("sh", "-c", $"umask 022; cd '{scratch.Path}'; {script}").Ok();

    public LintReport Lint(params string[] skip)
    {
        using var tree = RootTree.FromDirectory(Path);
        return Lints.Run(tree, skip: skip.ToHashSet());
    }

    public void Dispose() => scratch.Dispose();
}
