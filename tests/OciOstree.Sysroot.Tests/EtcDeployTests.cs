namespace OciOstree.Sysroot.Tests;

/// <summary>The merge of <c>/etc</c> as deployments see it: trees without one, with users of their own, with odd files.</summary>
public sealed class EtcDeployTests : IDisposable
{
    private readonly TestSysroot sysroot = new();

    public void Dispose() => sysroot.Dispose();

    private string Etc(Deployment deployment) => sysroot[$"{deployment.Path}/etc"];

    [Fact]
    public void A_tree_without_etc_takes_over_nothing_and_gives_nothing()
    {
        this.sysroot.Commit("none", "1", edit: "rm -r usr/etc");
        this.sysroot.Commit("empty", "2", edit: "rm -r usr/etc; mkdir usr/etc");
        this.sysroot.Commit("full", "3");
        Assert.False(Directory.Exists(Etc(this.sysroot.Deploy("none"))));
        Assert.Empty(Directory.GetFileSystemEntries(Etc(this.sysroot.Deploy("empty"))));
        Deployment full = this.sysroot.Deploy("full");
        Assert.True(File.Exists(Etc(full) + "/a"));
        // Back to none: what is local would have nowhere to go.
        Assert.Contains("the new deployment has no etc", Assert.Throws<SysrootException>(() => this.sysroot.Deploy("none")).InnerException!.Message);
        using Sysroot sysroot = this.sysroot.Open(readOnly: true);
        Assert.Equal("3", sysroot.VersionOf(sysroot.Deployments[0].Commit));
    }

    [Fact]
    public void Users_of_the_machine_stay_and_those_of_the_image_are_elsewhere()
    {
        const string edit = "mkdir -p usr/lib; echo root:x:0:0:::/bin/sh > usr/etc/passwd; echo 'passwd: files altfiles' > usr/etc/nsswitch.conf; echo daemon:x:2:2::: > usr/lib/passwd";
        sysroot.Commit("v1", "1", edit: edit);
        sysroot.Commit("v2", "2", edit: edit + "; echo new:x:900:900::: >> usr/lib/passwd; echo extra:x:901:901::: >> usr/etc/passwd");
        File.AppendAllText(Etc(sysroot.Deploy("v1")) + "/passwd", "me:x:1000:1000:::\n");
        Deployment second = sysroot.Deploy("v2");
        Assert.Equal("root:x:0:0:::/bin/sh\nme:x:1000:1000:::\n", File.ReadAllText(Etc(second) + "/passwd"));
        Assert.Contains("extra", File.ReadAllText(sysroot[$"{second.Path}/usr/etc/passwd"]));
        Assert.Equal("daemon:x:2:2:::\nnew:x:900:900:::\n", File.ReadAllText(sysroot[$"{second.Path}/usr/lib/passwd"]));
    }

    [Fact]
    public void Whiteouts_and_sockets_stay_behind_and_are_named()
    {
        sysroot.Commit("v1", "1");
        sysroot.Commit("v2", "2");
        Deployment first = sysroot.Deploy("v1");
        Tool.Shell("rm a b; mknod a c 0 0; mknod added c 0 0; mkfifo pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'; echo mine > c; chmod 600 c", Etc(first)).Ok();
        Deployment second = sysroot.Deploy("v2");
        Assert.Equal(["added", "pipe", "sock"], sysroot.Warnings.Where(w => w.StartsWith("/etc/", StringComparison.Ordinal)).Select(w => w.Split(' ')[0]["/etc/".Length..]).Order());
        Assert.Equal("character special file 0 0", Tool.Run("stat", "-c", "%F %t %T", Etc(second) + "/a").Ok().OutputLine);
        Assert.False(File.Exists(Etc(second) + "/b"));
        Assert.False(File.Exists(Etc(second) + "/pipe"));
        Assert.Equal("mine\n", File.ReadAllText(Etc(second) + "/c"));
    }
}
