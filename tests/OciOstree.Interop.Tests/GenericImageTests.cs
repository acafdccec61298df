namespace OciOstree.Interop.Tests;

/// <summary>Images that have no ostree commit in them: a system that a Containerfile makes of nothing, and one whose layers a builder squashed into one.</summary>
public sealed class GenericImageTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("generic-image");
    private readonly ContainerEngine engine;

    public GenericImageTests()
    {
        engine = new ContainerEngine(scratch);
        Tool.Shell("""
            mkdir -p context/tree && cd context/tree
            mkdir -p usr/bin usr/lib/modules/6.1 etc/conf.d dev proc run sys tmp var/lib sysroot boot opt/app usr/share/doc
            chmod 1777 tmp; ln -s usr/bin bin; ln -s usr/lib lib; ln -s sysroot/ostree ostree
            cp /bin/busybox usr/bin/busybox; for name in sh cat ln mkdir rm chmod echo; do ln usr/bin/busybox usr/bin/$name; done
            echo kernel >usr/lib/modules/6.1/vmlinuz; echo initramfs >usr/lib/modules/6.1/initramfs.img
            printf 'ID=test\nPRETTY_NAME=Generic\n' >usr/lib/os-release; ln -s ../usr/lib/os-release etc/os-release; echo one >etc/conf.d/one; echo app >opt/app/x; echo state >var/lib/x
            setcap cap_net_raw+ep usr/bin/busybox; chown 5:6 usr/share/doc
            """, scratch.Path).Ok();
    }

    public void Dispose()
    {
        engine.Dispose();
        scratch.Dispose();
    }

    [Fact]
    public void AnImageMadeOfNothingIsImportedAndDeployed()
    {
        engine.Build(scratch.Write("context/Containerfile", """
            FROM scratch
            COPY tree /
            RUN echo two >/etc/conf.d/two && rm /etc/conf.d/one && rm -r /usr/share/doc && echo gone >/run/x
            LABEL containers.bootc=1
            """), $"oci:{scratch["built"]}:1");
        string reference = $"ostree-unverified-image:oci:{scratch["built"]}:1";
        Tool.Run("ostree", "init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        string commit = OurProgram.Run("container", "image", "pull", "--quiet", scratch["repo"], reference).Ok().OutputLine.Split(" => ")[1];
        Tool.Run("ostree", "checkout", "--repo=" + scratch["repo"], commit, scratch["checkout"]).Ok();
        engine.WithMounted("localhost/built", mounted =>
        {
            // No base says that the root is not transient: /opt stays.
            Tool.Shell("""
                rm -rf run/* tmp/* dev/* proc/* sys/*; mv etc usr/etc; chmod 755 .
                for file in usr/etc/hostname usr/etc/resolv.conf; do [ -s $file ] || rm -f $file; done
                """, mounted).Ok();
            TreeSnapshot.AssertEqual(mounted, scratch["checkout"]);
        });
        Assert.True(File.Exists(scratch["checkout/opt/app/x"]));

        Tool.Shell($"mkdir sysroot && ostree admin init-fs sysroot && ostree admin os-init --sysroot=sysroot test", scratch.Path).Ok();
        ToolResult deployed = OurProgram.Run(
            "container", "image", "deploy", "--sysroot=" + scratch["sysroot"], "--stateroot=test", "--imgref=" + reference, "--toplevel=opt=factory", "--karg=rw").Ok();
        Assert.Contains("run", deployed.Error);
        string root = Directory.GetDirectories(scratch["sysroot/ostree/deploy/test/deploy"]).Single();
        Assert.True(File.Exists(root + "/usr/share/factory/opt/app/x"));
        Assert.False(Directory.Exists(root + "/opt"));
        Assert.Equal("two\n", File.ReadAllText(root + "/etc/conf.d/two"));
        Assert.Single(Directory.GetFiles(scratch["sysroot/boot/loader/entries"]));

        // The next deployment of the image does the same without being told.
        OurProgram.Run("container", "image", "deploy", "--sysroot=" + scratch["sysroot"], "--stateroot=test", "--imgref=" + reference).Ok();
        Assert.Equal(2, Directory.GetDirectories(scratch["sysroot/ostree/deploy/test/deploy"]).Count(path => File.Exists(path + "/usr/share/factory/opt/app/x")));
    }

    [Fact]
    public void ASquashedImageIsTheSameTree()
    {
        Tool.Shell("cp -a context/tree commit; rm -r commit/opt; mv commit/etc commit/usr/etc", scratch.Path).Ok();
        OurProgram.Run("init", "--repo=" + scratch["build"], "--mode=bare").Ok();
        OurProgram.Run("commit", "--repo=" + scratch["build"], "--branch=os", "--tree=dir=" + scratch["commit"]).Ok();
        OurProgram.Run("container", "encapsulate", "--quiet", "--repo=" + scratch["build"], "os", $"oci:{scratch["base"]}:1").Ok();
        string containerfile = scratch.Write("context/Containerfile", $"FROM oci:{scratch["base"]}:1\nRUN echo two >/etc/conf.d/two && ln /etc/conf.d/two /usr/share/two && rm /etc/conf.d/one\n");
        engine.Run("bud", "--isolation", "chroot", "--squash", "--tag", "localhost/squashed", "--file", containerfile, scratch["context"]).Ok();
        engine.Run("push", "localhost/squashed", $"oci:{scratch["squashed"]}:1").Ok();
        // Builders' own squashing keeps what they keep: this one gives up capabilities.
        string kept = "";
        engine.WithMounted("localhost/squashed", mounted => kept = Tool.Shell("getcap usr/bin/busybox", mounted).Ok().Output);
        engine.Build(containerfile, $"oci:{scratch["layered"]}:1");
        Tool.Run("ostree", "init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        string[] checkouts = [.. new[] { "squashed", "layered" }.Select(name =>
        {
            ToolResult pulled = OurProgram.Run("container", "image", "pull", "--quiet", scratch["repo"], $"ostree-unverified-image:oci:{scratch[name]}:1").Ok();
            Assert.Equal(name == "squashed", pulled.Error.Contains("squashed?", StringComparison.Ordinal));
            Tool.Run("ostree", "checkout", "--repo=" + scratch["repo"], pulled.OutputLine.Split(" => ")[1], scratch[name + "-root"]).Ok();
            return scratch[name + "-root"];
        })];
        // The builder brings /var/tmp of the base, which its own engine had added.
        Tool.Shell("chmod 755 squashed-root layered-root; rmdir squashed-root/var/tmp", scratch.Path).Ok();
        Assert.Equal(kept, Tool.Shell("getcap usr/bin/busybox", checkouts[0]).Ok().Output);
        TreeSnapshot.AssertEqual(checkouts[1], checkouts[0], kept.Length > 0 ? SnapshotDetails.Default : SnapshotDetails.Default & ~SnapshotDetails.Xattrs);
    }
}
