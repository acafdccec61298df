namespace OciOstree.Interop.Tests;

/// <summary>An image that a builder makes on a labelled base: every path that its layers touch has the label that libselinux's own tool gives it by the image's policy, which is Debian's.</summary>
public sealed class SelinuxImageTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("selinux-image");

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void EveryPathOfABuiltImageHasTheLabelOfItsPolicy()
    {
        string tree = scratch.MakeDirectory("tree");
        Tool.Shell("""
            mkdir -p usr/bin usr/sbin usr/lib/systemd/system usr/etc/ssh usr/share/doc dev proc run sys tmp var/log var/lib sysroot boot home
            chmod 1777 tmp; ln -s usr/bin bin; ln -s usr/lib lib; ln -s usr/sbin sbin; ln -s sysroot/ostree ostree
            cp /bin/busybox usr/bin/busybox; for name in sh cat chmod echo ln mkdir mv rm touch cp; do ln usr/bin/busybox usr/bin/$name; done
            echo root:x:0:0::/:/bin/sh >usr/etc/passwd; echo root:: >usr/etc/shadow; echo x >usr/lib/systemd/systemd; echo x >usr/sbin/sshd
            """, tree).Ok();
        DebianPolicy.CopyTo(Path.Combine(tree, "usr/etc"));
        OurProgram.Run("init", "--repo=" + scratch["build"], "--mode=bare").Ok();
        OurProgram.Run("commit", "--repo=" + scratch["build"], "--branch=os", "--selinux-policy=" + tree, "--tree=dir=" + tree).Ok();
        OurProgram.Run("container", "encapsulate", "--quiet", "--repo=" + scratch["build"], "os", $"oci:{scratch["base"]}:1").Ok();
        using var engine = new ContainerEngine(scratch);
        engine.Build(
            scratch.Write("context/Containerfile", $"""
            FROM oci:{scratch["base"]}:1
            RUN echo x >/etc/ssh/ssh_host_rsa_key && echo more >>/etc/shadow && chmod 600 /etc/shadow && mv /etc/passwd /etc/passwd.new && cp /etc/passwd.new /etc/passwd
            RUN cp /bin/cat /usr/bin/passwd && ln /usr/bin/passwd /usr/sbin/unix_chkpwd && ln -s ../bin/cat /usr/sbin/getty && mkdir -p /usr/lib/modules/6.1/kernel && echo x >/usr/lib/modules/6.1/modules.dep
            RUN mkdir -p /var/log/audit /var/lib/dpkg /var/cache/apt && echo x >/var/log/audit/audit.log && echo x >/usr/lib/systemd/system/x.service && rm /usr/lib/systemd/systemd && echo y >/usr/lib/systemd/systemd
            RUN mv /usr/sbin/sshd /usr/lib/sshd && mkdir /usr/share/doc/x && touch /usr/share/doc/x/empty "/usr/share/doc/x/with space"
            """),
            $"oci:{scratch["built"]}:1");
        Tool.Run("ostree", "init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        string commit = OurProgram.Run("container", "image", "pull", "--quiet", scratch["repo"], $"ostree-unverified-image:oci:{scratch["built"]}:1").Ok().OutputLine.Split(" => ")[1];
        Tool.Run("ostree", "fsck", "--quiet", "--repo=" + scratch["repo"]).Ok();
        Tool.Run("ostree", "checkout", "--repo=" + scratch["repo"], commit, scratch["checkout"]).Ok();

        int compared = 0;
        foreach ((string type, string find) in (ReadOnlySpan<(string, string)>)[("file", "-type f"), ("dir", "-type d"), ("symlink", "-type l")])
        {
            string[] paths = [.. Tool.Shell($"find . {find} -printf '/%P\\n'", scratch["checkout"]).Ok().OutputLines];
            Dictionary<string, string?> actual = Labels(paths);
            foreach ((string path, string? label) in DebianPolicy.Match(paths, type))
            {
                // ostree labels /proc as a mount point, since policies leave it to the kernel.
                Assert.True(path == "/proc" || label == actual.GetValueOrDefault(path), $"{path}: {actual.GetValueOrDefault(path) ?? "no label"}, and not {label}");
                compared++;
            }
        }

        Assert.True(compared > 90, $"{compared} paths");
        Assert.Equal("system_u:object_r:passwd_exec_t:s0", Labels(["/usr/bin/passwd"])["/usr/bin/passwd"]);
    }

    private Dictionary<string, string?> Labels(string[] paths)
    {
        var labels = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (string[] some in paths.Chunk(500))
        {
            // "# file: PATH", then "security.selinux="LABEL"".
            string path = "";
            foreach (string line in Tool.Run("getfattr", ["-h", "--absolute-names", "-n", "security.selinux", "--", .. some.Select(path => scratch["checkout"] + path)]).OutputLines)
            {
                if (line.StartsWith("# file: ", StringComparison.Ordinal))
                {
                    path = line[("# file: ".Length + scratch["checkout"].Length)..].Replace("\\040", " ", StringComparison.Ordinal);
                }
                else if (line.Length > 0)
                {
                    labels[path] = line.Split('"')[1].Replace("\\000", "", StringComparison.Ordinal);
                }
            }
        }

        return labels;
    }
}
