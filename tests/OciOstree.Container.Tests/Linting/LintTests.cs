using OciOstree.Registry;

namespace OciOstree.Container.Tests;

public sealed class LintTests : IDisposable
{
    private readonly GoodRoot root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public void A_good_root_passes_all()
    {
        LintReport report = root.Lint();
        Assert.Empty(report.Findings);
        Assert.Equal((Lints.All.Count, 0), (report.Passed, report.Skipped));
    }

    [Theory]
    [InlineData("api-base-directories", "rmdir root/sys", "/sys")]
    [InlineData("api-base-directories", "rmdir root/proc; touch root/proc", "/proc")]
    [InlineData("baseimage-composefs", "rm root/usr/lib/ostree/prepare-root.conf", "/usr/lib/ostree/prepare-root.conf")]
    [InlineData("baseimage-composefs", "echo '[composefs' > root/usr/lib/ostree/prepare-root.conf", "/usr/lib/ostree/prepare-root.conf")]
    [InlineData("baseimage-root", "rmdir root/sysroot", "/sysroot")]
    [InlineData("baseimage-root", "ln -sfnT elsewhere root/ostree", "/ostree")]
    [InlineData("baseimage-root", "mkdir -p root/usr/share/doc/bootc/baseimage/base/sysroot", "/usr/share/doc/bootc/baseimage/base/ostree")]
    [InlineData("baseimage-composefs", "mkdir -p root/usr/share/doc/bootc/baseimage/base/sysroot", "/usr/share/doc/bootc/baseimage/base/usr/lib/ostree/prepare-root.conf")]
    [InlineData("bootc-kargs", "echo 'kargs = [1]' > root/usr/lib/bootc/kargs.d/x.toml", "/usr/lib/bootc/kargs.d/x.toml")]
    [InlineData("bootc-kargs", "echo 'kargs = [' > root/usr/lib/bootc/kargs.d/x.toml", "/usr/lib/bootc/kargs.d/x.toml")]
    [InlineData("bootc-kargs", "echo 'kargs = []' > root/usr/lib/bootc/kargs.d/x.toml; echo 'delete = []' >> root/usr/lib/bootc/kargs.d/x.toml", "/usr/lib/bootc/kargs.d/x.toml")]
    [InlineData("buildah-injected", ": > root/etc/resolv.conf", "/etc/resolv.conf")]
    [InlineData("etc-usretc", "mkdir root/usr/etc", "/usr/etc")]
    [InlineData("kernel", "rm root/usr/lib/modules/6.1/vmlinuz", "/usr/lib/modules")]
    [InlineData("kernel", "cp -a root/usr/lib/modules/6.1 root/usr/lib/modules/6.2", "/usr/lib/modules/6.1")]
    [InlineData("kernel-initramfs", "rm root/usr/lib/modules/6.1/initramfs.img", "/usr/lib/modules/6.1")]
    [InlineData("kernel-modules", "mkdir root/usr/lib/modules/5.9; touch root/usr/lib/modules/5.9/modules.dep", "/usr/lib/modules/5.9")]
    [InlineData("links-outside", "ln -s ../../../etc/passwd root/usr/bin/up", "/usr/bin/up")]
    [InlineData("links-outside", "ln -s /build/tool root/usr/bin/tool", "/usr/bin/tool")]
    [InlineData("machine-identity", "echo 0123456789abcdef0123456789abcdef > root/etc/machine-id", "/etc/machine-id")]
    [InlineData("machine-identity", "echo secret > root/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key")]
    [InlineData("nonempty-boot", "touch root/boot/vmlinuz", "/boot/vmlinuz")]
    [InlineData("nonempty-boot", "rmdir root/boot", "/boot")]
    [InlineData("nonempty-run-tmp", "mkdir -p root/run/lock", "/run/lock")]
    [InlineData("nonempty-run-tmp", "touch root/tmp/junk", "/tmp/junk")]
    [InlineData("root-permissions", "chmod 0700 root/usr", "/usr")]
    [InlineData("root-permissions", "chmod 0755 root/tmp", "/tmp")]
    [InlineData("root-permissions", "chmod 0777 root", "/")]
    [InlineData("root-permissions", "chown 1:1 root/etc", "/etc")]
    [InlineData("set-id", "chmod 4777 root/usr/bin/true", "/usr/bin/true")]
    [InlineData("set-id", "cp root/usr/bin/true root/etc/su; chmod 4755 root/etc/su", "/etc/su")]
    [InlineData("special-files", "mkfifo root/usr/lib/pipe", "/usr/lib/pipe")]
    [InlineData("special-files", "mknod root/etc/null c 1 3", "/etc/null")]
    [InlineData("sysusers", "echo 'new:x:990:990::/:/bin/false' >> root/etc/passwd", "/etc/passwd")]
    [InlineData("sysusers", "echo 'new:x:990:' >> root/etc/group", "/etc/group")]
    [InlineData("sysusers", "chown 4711 root/usr/bin/true", "/usr/bin/true")]
    [InlineData("toplevel-content", "touch root/opt/x", "/opt")]
    [InlineData("toplevel-content", "rm root/bin; mkdir root/bin", "/bin")]
    [InlineData("toplevel-content", "touch root/stray", "/stray")]
    [InlineData("utf8", "touch \"root/usr/$(printf '\\377')\"", "/usr/\\xff")]
    [InlineData("utf8", "ln -s \"$(printf '\\377')\" root/usr/link", "/usr/link")]
    [InlineData("var-log", "echo line > root/var/log/build.log", "/var/log/build.log")]
    [InlineData("var-run", "rm root/var/run; mkdir root/var/run", "/var/run")]
    [InlineData("var-tmpfiles", "mkdir root/var/lib/state", "/var/lib/state")]
    [InlineData("var-tmpfiles", "touch root/var/lib/file", "/var/lib/file")]
    [InlineData("world-writable", "chmod 0777 root/usr/lib/ostree", "/usr/lib/ostree")]
    public void What_is_wrong_is_found(string lint, string script, string path)
    {
        root.Shell(script);
        LintReport report = root.Lint();
        Assert.Contains(report.Findings, finding => finding.Lint.Name == lint && finding.Path == path);
        Assert.Equal(1, Lints.All.Single(known => known.Name == lint).Level == LintLevel.Fatal ? report.Fatal : Math.Min(report.Warnings, 1));

        Assert.DoesNotContain(root.Lint(lint).Findings, finding => finding.Lint.Name == lint);
    }

    [Theory]
    [InlineData("printf '[root]\\ntransient = true\\n[composefs]\\nenabled=yes\\n' > root/usr/lib/ostree/prepare-root.conf; touch root/opt/x")]
    [InlineData("echo 'd /var/lib/state 0755' > root/usr/lib/tmpfiles.d/s.conf; mkdir root/var/lib/state")]
    [InlineData("echo 'd \"/var/lib/a b\" 0755' > root/usr/lib/tmpfiles.d/s.conf; mkdir 'root/var/lib/a b'")]
    [InlineData("echo 'C /var/lib/copied - - - -' > root/usr/lib/tmpfiles.d/s.conf; mkdir root/var/lib/copied; touch root/var/lib/copied/file")]
    [InlineData("echo 'u new 990' > root/usr/lib/sysusers.d/n.conf; echo 'new:x:990:990::/:/bin/false' >> root/etc/passwd; echo 'new:x:990:' >> root/etc/group; chown 990:990 root/usr/bin/true")]
    [InlineData("ln -s /run/x root/usr/bin/a; ln -s ../lib/missing root/usr/bin/b; ln -s /bin/true root/usr/bin/c")]
    [InlineData("mv root/etc root/usr/etc; chmod 0755 root/usr/etc")]
    [InlineData("rmdir root/tmp; ln -s sysroot/tmp root/tmp")]
    [InlineData("chmod 4755 root/usr/bin/true; chmod 1777 root/usr/lib/ostree; chmod 0555 root/usr")]
    public void What_is_right_is_not_objected_to(string script)
    {
        root.Shell(script);
        Assert.Empty(root.Lint().Findings);
    }

    [Fact]
    public void An_etc_tmpfile_hides_the_one_of_its_name()
    {
        root.Shell("mkdir root/etc/tmpfiles.d; ln -s /dev/null root/etc/tmpfiles.d/var.conf");
        Assert.Contains(root.Lint().Findings, finding => finding is { Lint.Name: "var-tmpfiles", Path: "/var/lib" });
    }

    [Fact]
    public void A_tree_in_a_commits_layout_is_linted_like_a_container()
    {
        root.Shell("echo 'new:x:990:990::/:/bin/false' >> root/etc/passwd; mv root/etc root/usr/etc");
        Assert.Contains(root.Lint().Findings, finding => finding is { Lint.Name: "sysusers", Path: "/etc/passwd" });
    }

    [Fact]
    public void The_line_that_is_missing_is_told()
    {
        root.Shell("mkdir 'root/var/lib/a b'; chown 1:1 'root/var/lib/a b'; chmod 0750 'root/var/lib/a b'; ln -s /etc/x root/var/lib/link");
        Assert.Equal(
            ["d /var/lib/a\\x20b 0750 daemon daemon - -", "L /var/lib/link - - - - /etc/x"],
            root.Lint().Findings.Where(finding => finding.Lint.Name == "var-tmpfiles").Select(finding => finding.What));
    }

    [Fact]
    public void An_image_is_linted_as_the_directory_it_was_made_of()
    {
        root.Shell("touch root/opt/x root/tmp/junk; echo line > root/var/log/build.log; echo 'new:x:990:990::/:/bin/false' >> root/etc/passwd; mkfifo root/usr/pipe");
        LintReport expected = root.Lint();

        var image = new MemoryImage();
        root.Shell("tar -C root -cf layer.tar .");
        image.AddTar(File.ReadAllBytes(Path.Combine(root.Path, "../layer.tar")));
        Manifest manifest = image.FetchManifest().Manifest;
        using RootTree tree = RootTree.FromImage(image, manifest, image.FetchConfig(manifest), Lints.Reads);
        LintReport report = Lints.Run(tree, labels: new Dictionary<string, string> { ["containers.bootc"] = "1" });
        Assert.Equal(expected.Findings, report.Findings);
        Assert.Contains(Lints.Run(tree, labels: new Dictionary<string, string>()).Findings, finding => finding.Lint.Name == "bootable-label");
    }

    [Fact]
    public void Layers_are_laid_over_one_another()
    {
        var image = new MemoryImage();
        root.Shell("""
            mkdir -p a/usr/keep a/usr/gone a/usr/opaque/deep a/etc b/usr/opaque; echo 1 > a/usr/keep/x; echo 1 > a/usr/gone/x; echo 1 > a/usr/opaque/deep/x; echo one > a/etc/passwd
            ln -s target a/usr/replaced; mkdir b/usr/replaced; touch b/usr/.wh.gone b/usr/opaque/.wh..wh..opq b/usr/opaque/new; mkdir b/etc; echo two > b/etc/passwd; ln b/etc/passwd b/etc/group
            tar -C a -cf a.tar .; tar -C b -cf b.tar .
            """);
        image.AddTar(File.ReadAllBytes(Path.Combine(root.Path, "../a.tar"))).AddTar(File.ReadAllBytes(Path.Combine(root.Path, "../b.tar")));
        Manifest manifest = image.FetchManifest().Manifest;
        using RootTree tree = RootTree.FromImage(image, manifest, image.FetchConfig(manifest), path => path.StartsWith("etc/", StringComparison.Ordinal));
        Assert.Equal(
            ["/", "/etc", "/etc/group", "/etc/passwd", "/usr", "/usr/keep", "/usr/keep/x", "/usr/opaque", "/usr/opaque/new", "/usr/replaced"],
            tree.Root.Walk().Select(node => node.Path));
        Assert.True(tree.Find("usr/replaced")!.IsDirectory);
        Assert.Equal("two\n", tree.ReadText("etc/group"));
        Assert.Null(tree.ReadText("usr/keep/x"));
    }

    [Fact]
    public void A_commit_is_linted_with_etc_where_a_container_has_it()
    {
        using var repo = new TestRepo();
        using RootTree tree = RootTree.FromCommit(repo.Repo, repo.CommitFiles(("usr/etc/passwd", "x:x:7:7::/:/bin/sh\n"), ("usr/lib/modules/6.1/vmlinuz", "kernel")));
        Assert.Contains(Lints.Run(tree).Findings, finding => finding is { Lint.Name: "sysusers", Path: "/etc/passwd" });
        Assert.DoesNotContain(Lints.Run(tree).Findings, finding => finding.Lint.Name is "etc-usretc" or "kernel");
    }

    [Fact]
    public void Links_that_lead_in_circles_end()
    {
        root.Shell("ln -s b root/usr/a; ln -s a root/usr/b; rm root/etc/passwd; ln -s passwd root/etc/passwd; ln -s . root/usr/self");
        using RootTree tree = RootTree.FromDirectory(root.Path);
        Assert.Null(tree.Resolve("usr/a"));
        Assert.Null(tree.ReadText("etc/passwd"));
        Assert.True(tree.Resolve("usr/self/self/self/bin")!.IsDirectory);
        Assert.NotNull(Lints.Run(tree));
    }

    [Fact]
    public void Every_lint_says_what_why_and_how()
    {
        Assert.All(Lints.All, lint => Assert.All((string[])[lint.Name, lint.Description, lint.Why, lint.Mend], text => Assert.NotEmpty(text)));
        Assert.Equal(Lints.All.Count, Lints.All.Select(lint => lint.Name).Distinct().Count());
    }
}
