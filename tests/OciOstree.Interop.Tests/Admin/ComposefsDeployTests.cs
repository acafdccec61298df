namespace OciOstree.Interop.Tests.Admin;

/// <summary>The composefs images of deployments, beside those that the newest real ostree writes for the same commits.</summary>
public sealed class ComposefsDeployTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("cfs-deploy");

    public ComposefsDeployTests()
    {
        string tree = scratch.MakeDirectory("tree");
        Tool.Shell("""
            mkdir -p usr/{bin,lib/modules/6.1.0,lib/ostree,etc/sub,share/wide} var/tmp opt
            printf 'PRETTY_NAME="Test OS"\nID=testos\n' > usr/lib/os-release
            echo kernel > usr/lib/modules/6.1.0/vmlinuz; echo initrd > usr/lib/modules/6.1.0/initramfs.img
            head -c 70000 /dev/urandom > usr/bin/program; chmod 4755 usr/bin/program; ln -s program usr/bin/link; : > usr/bin/empty; ln usr/bin/program usr/bin/hard
            setfattr -n user.note -v text usr/bin/program; setcap cap_net_raw+ep usr/bin/hard; chown 3:4 usr/bin/empty
            for i in $(seq 300); do echo $i > usr/share/wide/file$i; done
            echo default > usr/etc/a; mkdir -m 700 usr/etc/sub/private
            """, tree).Ok();
        foreach (string name in (string[])["ours", "theirs"])
        {
            Directory.CreateDirectory(scratch[name]);
            Tool.Run("ostree", "admin", "init-fs", "--modern", scratch[name]).Ok();
            Tool.Run("ostree", "admin", "os-init", "--sysroot=" + scratch[name], "os").Ok();
            Tool.Run("ostree", "config", $"--repo={Repo(name)}", "set", "core.fsync", "false").Ok();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("[composefs]\nenabled = no\n")]
    [InlineData("[composefs]\nenabled = yes\n[root]\ntransient-ro = true\n[etc]\ntransient = true\n")]
    [InlineData("[composefs]\nenabled = verity\n")]
    [InlineData("[composefs]\nenabled = signed\n")]
    public void The_image_in_a_deployment_is_the_real_ones(string settings)
    {
        // With its digest in the metadata: where all files' digests are asked for, the image is checked against it.
        string commit = Commit(settings, "--generate-composefs-metadata");
        OurProgram.Ostree("admin", "deploy", "--sysroot=" + scratch["ours"], "--os=os", "os").Ok();
        SidOstree.Run("admin", "deploy", "--sysroot=" + scratch["theirs"], "--os=os", "os").Ok();
        Assert.Equal(File.ReadAllBytes(Image("theirs", commit)), File.ReadAllBytes(Image("ours", commit)));
        Assert.Equal(Tool.Run("stat", "-c", "%a %u:%g %h", Image("theirs", commit)).Output, Tool.Run("stat", "-c", "%a %u:%g %h", Image("ours", commit)).Output);
        Assert.Equal(settings.Contains("verity", StringComparison.Ordinal) || settings.Contains("signed", StringComparison.Ordinal),
            Convert.ToHexStringLower(File.ReadAllBytes(Image("ours", commit))).Contains(Digest(commit, "usr/bin/program"), StringComparison.Ordinal));

        // It goes with its deployment; the immutable root does not keep it.
        OurProgram.Ostree("admin", "undeploy", "--sysroot=" + scratch["ours"], "0").Ok();
        Assert.False(File.Exists(Image("ours", commit)));
    }

    [Theory]
    [InlineData("[composefs]\nenabled = perhaps\n")]
    [InlineData("[root]\ntransient = true\ntransient-ro = true\n")]
    [InlineData("[composefs\n")]
    [InlineData("[composefs]\nenabled = verity\n", "--add-metadata=ostree.composefs.digest.v0=[byte 1, 2, 3]")]
    [InlineData("[composefs]\nenabled = verity\n", "--add-metadata=ostree.composefs.digest.v0=[byte 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]")]
    public void What_the_real_one_refuses_is_refused_in_its_words(string settings, string metadata = "--add-metadata-string=version=1")
    {
        Commit(settings, metadata);
        ToolResult theirs = SidOstree.Run("admin", "deploy", "--sysroot=" + scratch["theirs"], "--os=os", "os"), ours = OurProgram.Ostree("admin", "deploy", "--sysroot=" + scratch["ours"], "--os=os", "os");
        Assert.Equal((1, 1), (theirs.ExitCode, ours.ExitCode));
        const string from = "Checking out deployment tree: ";
        Assert.Equal(Reason(theirs), Reason(ours));
        Assert.Empty(Directory.GetDirectories(scratch["ours/ostree/deploy/os/deploy"]));

        static string Reason(ToolResult result) => result.Error[result.Error.LastIndexOf(from, StringComparison.Ordinal)..].TrimEnd();
    }

    private string Commit(string settings, string argument)
    {
        if (settings.Length > 0)
            scratch.Write("tree/usr/lib/ostree/prepare-root.conf", settings);
        string commit = OurProgram.Ostree("commit", "--repo=" + Repo("ours"), "--branch=os", "--tree=dir=" + scratch["tree"], argument).Ok().OutputLine;
        Tool.Run("ostree", "pull-local", "--repo=" + Repo("theirs"), Repo("ours"), "os").Ok();
        return commit;
    }

    private string Digest(string commit, string path)
    {
        string measured = SidOstree.RunProgram("usr/bin/composefs-info", "measure-file", $"{scratch["ours"]}/ostree/deploy/os/deploy/{commit}.0/{path}").Ok().OutputLine;
        Assert.Equal(64, measured.Length);
        return measured;
    }

    private string Repo(string name) => scratch[name] + "/ostree/repo";

    private string Image(string name, string commit) => $"{scratch[name]}/ostree/deploy/os/deploy/{commit}.0/.ostree.cfs";

    public void Dispose()
    {
        Tool.Shell($"chattr -f -i {scratch.Path}/*/ostree/deploy/*/deploy/*.[0-9] || true");
        scratch.Dispose();
    }
}
