namespace OciOstree.Interop.Tests;

/// <summary>SELinux labels are those that the real ostree gives with the same libselinux; the policy is Debian's. This machine's kernel need not know SELinux.</summary>
public class LabelTests
{
    private const string Timestamp = "--timestamp=2024-01-02 03:04:05 +0000";

    [Theory]
    [InlineData("bare")]
    [InlineData("bare-user")]
    [InlineData("archive")]
    public void Both_commit_with_the_same_labels(string mode)
    {
        using var scratch = new ScratchDirectory();
        MakeTree(scratch);
        Tool.Shell("tar -C tree -cf tree.tar --sort=name usr var home", scratch.Path).Ok();
        Tool.Run("ostree", "init", "--repo=" + scratch["theirs"], "--mode=" + mode).Ok();
        OurProgram.Ostree("init", "--repo=" + scratch["ours"], "--mode=" + mode).Ok();

        string labelled = Both("--selinux-policy=tree", "--tree=dir=tree");
        Assert.Equal(labelled, Both("-P", "--tree=dir=tree"));
        Assert.NotEqual(labelled, Both("--selinux-policy-from-base", "--no-xattrs", "--tree=dir=tree"));
        Both("-P", "--tree=ref=" + labelled);
        string plain = Both("--tree=dir=tree");
        Assert.Equal(labelled, Both("-P", "--tree=ref=" + plain));
        Both("-P", "--base=" + plain, "--tree=dir=tree/usr");
        Both("--selinux-policy=tree", "--tree=tar=tree.tar", "--tar-autocreate-parents");
        Both("-P", "--tree=dir=tree", "--tree=dir=more");
        // A directory without a policy labels nothing.
        Both("--selinux-policy=more", "--tree=dir=tree");
        foreach (string repo in (string[])["theirs", "ours"])
        {
            Tool.Run("ostree", "fsck", "-q", "--repo=" + scratch[repo]).Ok();
            OurProgram.Ostree("fsck", "-q", "--repo=" + scratch[repo]).Ok();
        }

        string Both(params string[] options)
        {
            string[] arguments = ["commit", "--branch=test", "--parent=none", Timestamp, .. options];
            string commit = Tool.Run(new ToolStart("ostree") { Directory = scratch.Path }, [.. arguments, "--repo=theirs"]).Ok().OutputLine;
            Assert.Equal(commit, Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path }, [.. arguments, "--repo=ours"]).Ok().OutputLine);
            return commit;
        }
    }

    [Theory]
    [InlineData("--selinux-policy=tree -P --tree=dir=tree")]
    [InlineData("-P --tree=tar=tree.tar")]
    public void Both_refuse_the_same(string options)
    {
        using var scratch = new ScratchDirectory();
        MakeTree(scratch);
        Tool.Shell("tar -C tree -cf tree.tar usr; ostree init --repo=repo --mode=archive", scratch.Path).Ok();
        string[] arguments = ["commit", "--repo=repo", "--branch=test", .. options.Split(' ')];
        ToolResult theirs = Tool.Run(new ToolStart("ostree") { Directory = scratch.Path }, arguments);
        ToolResult ours = Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path }, arguments);
        Assert.Equal((theirs.ExitCode, theirs.Error), (ours.ExitCode, ours.Error));
    }

    [Fact]
    public void Epoch_one_labels_the_defaults_as_etc()
    {
        using var scratch = new ScratchDirectory();
        MakeTree(scratch);
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=archive").Ok();
        string Label(string epoch, string path)
        {
            OurProgram.Ostree("commit", "--repo=" + scratch["repo"], "--branch=test", "-P", "--selinux-labeling-epoch=" + epoch, "--tree=dir=" + scratch["tree"]).Ok();
            return Tool.Run("ostree", "ls", "-X", "--repo=" + scratch["repo"], "test", path).Ok().OutputLine;
        }
        Assert.Contains("object_r:etc_t:s0", Label("0", "/usr/etc/shadow"), StringComparison.Ordinal);
        Assert.Contains("object_r:shadow_t:s0", Label("1", "/usr/etc/shadow"), StringComparison.Ordinal);
        Assert.Contains("Unknown SELinux labeling epoch: 2", OurProgram.Ostree(
            "commit", "--repo=" + scratch["repo"], "--branch=test", "-P", "--selinux-labeling-epoch=2", "--tree=dir=" + scratch["tree"]).Error, StringComparison.Ordinal);
    }

    /// <summary>With SELinux off in the kernel the real ostree leaves a copy the labels of the commit where it has some, and labels no directory. We label whatever the kernel.</summary>
    [Theory]
    [InlineData("--selinux-prefix=/etc", "/etc")]
    [InlineData("", "/usr/etc")]
    public void A_checkout_is_labelled_by_the_policy(string prefix, string expected)
    {
        using var scratch = new ScratchDirectory();
        MakeTree(scratch);
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        OurProgram.Ostree("commit", "--repo=" + scratch["repo"], "--branch=test", "--tree=dir=" + scratch["tree"]).Ok();
        string[] options = ["--repo=" + scratch["repo"], "--selinux-policy=" + scratch["tree"], "--subpath=/usr/etc", .. prefix.Split(' ', StringSplitOptions.RemoveEmptyEntries), "test"];
        Tool.Run("ostree", ["checkout", .. options, scratch["theirs"]]).Ok();
        OurProgram.Ostree(["checkout", .. options, scratch["ours"]]).Ok();

        List<string> files = [.. Tool.Shell("find . -type f -printf '%P\\n'", scratch["ours"]).Ok().OutputLines];
        Dictionary<string, string?> wanted = DebianPolicy.Match(files.Select(file => $"{expected}/{file}"), "file");
        foreach (string file in files)
        {
            Assert.Equal(LabelOf(scratch[$"theirs/{file}"]), LabelOf(scratch[$"ours/{file}"]));
            Assert.Equal(wanted[$"{expected}/{file}"], LabelOf(scratch[$"ours/{file}"]));
        }
        Assert.Equal("system_u:object_r:etc_t:s0", LabelOf(scratch["ours"]));
        Assert.Equal("system_u:object_r:etc_t:s0", LabelOf(scratch["ours/link"]));
        Assert.Contains("Cannot specify --selinux-prefix without --selinux-policy", OurProgram.Ostree("checkout", "--repo=" + scratch["repo"], "--selinux-prefix=/", "test", scratch["x"]).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_library_labels_are_refused()
    {
        using var scratch = new ScratchDirectory();
        MakeTree(scratch);
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=archive").Ok();
        ToolResult result = WithoutLibrary($"exec {OurProgram.Path("ostree")} commit --repo={scratch["repo"]} --branch=test -P --tree=dir={scratch["tree"]}");
        Assert.Equal((1, "error: SELinux policy 'default' cannot be applied: libselinux.so.1 is not installed\n"), (result.ExitCode, result.Error));
        WithoutLibrary($"exec {OurProgram.Path("ostree")} commit --repo={scratch["repo"]} --branch=test --tree=dir={scratch["tree"]}").Ok();
    }

    [Fact]
    public void A_repository_that_cannot_hold_labels_is_not_given_any()
    {
        using var scratch = new ScratchDirectory();
        MakeTree(scratch);
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=bare-user-only").Ok();
        Assert.Equal("error: A bare-user-only repository cannot hold SELinux labels\n", OurProgram.Ostree(
            "commit", "--repo=" + scratch["repo"], "--branch=test", "-P", "--tree=dir=" + scratch["tree"]).Error);
    }

    /// <summary>Runs a line of shell where libselinux.so.1 is an empty file.</summary>
    internal static ToolResult WithoutLibrary(string script) => Tool.Run("unshare", "-m", "--propagation", "private", "bash", "-euc",
        "mount --bind /dev/null \"$(readlink -f /usr/lib/*-linux-gnu/libselinux.so.1)\"; " + script);

    internal static string LabelOf(string path) => Tool.Run("getfattr", "-h", "--only-values", "-n", "security.selinux", path).Ok().Output.TrimEnd('\0');

    // No xattr sorts behind security.selinux: ostree 2022.7 adds the label last, where a repository cannot keep it, and later ones sort, as we do.
    private static void MakeTree(ScratchDirectory scratch)
    {
        DebianPolicy.CopyTo(scratch.MakeDirectory("tree/usr/etc"));
        Tool.Shell("""
            cd tree
            mkdir -p usr/bin usr/lib/systemd/system usr/lib64 var/lib/dpkg home/bob proc run/lock
            for file in usr/bin/bash usr/bin/passwd usr/etc/passwd usr/etc/shadow usr/etc/ld.so.cache usr/lib/systemd/systemd usr/lib/systemd/system/a.service var/lib/dpkg/status home/bob/file run/lock/x; do
              echo $file >$file; done
            ln usr/bin/bash usr/bin/rbash; ln usr/bin/bash usr/lib/hardlink
            ln -s ../bin/bash usr/lib/link; ln -s shadow usr/etc/link
            chmod 4755 usr/bin/passwd; setcap cap_net_raw+ep usr/bin/bash
            setfattr -n security.selinux -v 'old_u:old_r:old_t:s0' usr/etc/ld.so.cache
            mkdir -p ../more/usr/bin; echo x >../more/usr/bin/dpkg
            """, scratch.Path).Ok();
    }
}
