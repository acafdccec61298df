using OciOstree.Linux;

namespace OciOstree.Container.Tests;

public sealed class ContainerCommitTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("commit");

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void What_no_machine_gets_is_removed_and_the_rest_stays()
    {
        Shell("""
            mkdir -p run/systemd tmp/a/b var/tmp/x var/cache/apt var/lib/state var/log usr/bin
            touch run/systemd/resolv.conf tmp/a/b/c var/tmp/x/y var/cache/apt/archive var/lib/state/kept var/log/kept usr/bin/kept; ln -s /nowhere tmp/link; mkfifo tmp/pipe
            """);
        using LinuxDirectory root = LinuxDirectory.Open(scratch.Path);
        Assert.Equal(11, ContainerCommit.Clean(root));
        Assert.Equal(
            ["run", "tmp", "usr", "usr/bin", "usr/bin/kept", "var", "var/cache", "var/lib", "var/lib/state", "var/lib/state/kept", "var/log", "var/log/kept", "var/tmp"],
            Left());
        Assert.Equal(0, ContainerCommit.Clean(root));
    }

    [Fact]
    public void A_root_without_these_directories_stays_as_it_is()
    {
        Shell("mkdir usr elsewhere; touch elsewhere/file; ln -s elsewhere tmp; ln -s elsewhere var");
        using LinuxDirectory root = LinuxDirectory.Open(scratch.Path);
        Assert.Equal(0, ContainerCommit.Clean(root));
        Assert.True(File.Exists(scratch["elsewhere/file"]));
    }

    [Fact]
    public void Mounts_and_what_leads_to_them_stay()
    {
        Shell("mkdir -p run/secrets/deep tmp/gone host; touch host/file run/secrets/other tmp/gone/x tmp/bound; mount --bind host run/secrets/deep; mount --bind host/file tmp/bound");
        try
        {
            using LinuxDirectory root = LinuxDirectory.Open(scratch.Path);
            ContainerCommit.Clean(root);
            Assert.True(File.Exists(scratch["host/file"]));
            Assert.Equal(["host", "host/file", "run", "run/secrets", "run/secrets/deep", "run/secrets/deep/file", "tmp", "tmp/bound"], Left());
            using RootTree tree = RootTree.FromDirectory(scratch.Path);
            Assert.True(tree.Find("run/secrets/deep") is { IsMount: true, IsEmpty: true });
        }
        finally
        {
            Shell("umount run/secrets/deep; umount tmp/bound");
        }
    }

    [Theory]
    [InlineData("sysroot/ostree/repo", "bare-split-xattrs", "", "container", true)]
    [InlineData("sysroot", "bare-split-xattrs", "", "container", true)]
    [InlineData("sysroot/ostree/repo", "bare", "", "container", false)]
    [InlineData("sysroot/ostree/repo", "bare-split-xattrs", "touch run/.containerenv", "INVOCATION_ID", true)]
    [InlineData("sysroot/ostree/repo", "bare-split-xattrs", "", "INVOCATION_ID", false)]
    [InlineData("sysroot/ostree/repo", "bare-split-xattrs", "touch run/ostree-booted", "", false)]
    [InlineData("sysroot/ostree/repo", "bare-split-xattrs", "", "", true)]
    [InlineData("elsewhere", "bare-split-xattrs", "", "container", false)]
    public void Containers_of_ostree_images_are_known_by_their_repository(string repo, string mode, string script, string variable, bool expected)
    {
        Shell($"mkdir -p run {repo}; printf '[core]\\nmode={mode}\\n' > {repo}/config; {script}");
        using LinuxDirectory root = LinuxDirectory.Open(scratch.Path);
        Assert.Equal(expected, ContainerCommit.IsOstreeContainer(root, name => name == variable ? "yes" : null));
    }

    private void Shell(string script) => Tool.Run("sh", "-c", $"cd '{scratch.Path}'; {script}").Ok();

    private string[] Left() =>
        Tool.Run("sh", "-c", $"cd '{scratch.Path}' && find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort").Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
