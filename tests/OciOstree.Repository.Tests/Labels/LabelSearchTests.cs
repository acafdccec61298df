using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>Only what can match is searched; what comes of it is what a search of everything gives.</summary>
public class LabelSearchTests
{
    private const uint RegularFile = 0x81A4, Directory = 0x41ED, SymbolicLink = 0xA1FF;

    [Theory]
    [InlineData("/usr/bin(/.*)?", "/usr/bin")]
    [InlineData("/usr/lib/[^/]*/x", "/usr/lib/")]
    [InlineData(@"/etc/passwd\.lock", "/etc/passwd.lock")]
    [InlineData("/etc/passwd-?", "/etc/passwd")]
    [InlineData("/etc/passwd+", "/etc/passwd")]
    [InlineData("/etc/x{2}", "/etc/")]
    [InlineData("/a|/b", "")]
    [InlineData("/(a|b)/c", "/")]
    [InlineData("/x[()|]y", "/x")]
    [InlineData("/x[]|]y", "/x")]
    [InlineData("/x[^]|]y|/z", "")]
    [InlineData("/x[[:alpha:]|]y", "/x")]
    [InlineData(@"/x\(y|/z", "")]
    [InlineData(@"/d\d", "/d")]
    [InlineData(@"/\Qa(\E|/z", "")]
    [InlineData("/caf\u00e9", "/caf")]
    [InlineData(@"/end\", "/end")]
    [InlineData("?", "")]
    [InlineData("/x[", "/x")]
    public void An_expression_begins_with_what_every_match_begins_with(string expression, string start) => Assert.Equal(start, PolicyExpressions.LiteralStart(expression));

    [Fact]
    public void A_large_policy_gives_the_labels_that_libselinux_gives()
    {
        string[] named =
        [
            "/", "/usr", "/usr/lib", "/usr/lib64", "/usr/lib64/ld.so", "/usr/libx32/security/x.so", "/lib/systemd/system/x.service", "/etc/systemd/system/x.service", "/run/lock/x", "/var/run/x.pid",
            "/var/lib/private/systemd/x", "/var/cache/private/y", "/usr/local/lib/python3/x.py", "/usr/local/lib64/x", "/home", "/home/user", "/home/user/.ssh/id", "/home/user/.config/x/y", "/root/.ssh/x",
            "/proc", "/sys/x", "/boot/vmlinuz", "/opt/a/b/c", "/x", "/nowhere/near", "/usr//bin///sh", "/usr/bin/", "/usr/share/doc/x/copyright", "/dev/null", "/tmp/x", "/var/tmp/x/y", "/etc/init.d/x",
            "/usr/lib/m\udcfelt", "/usr/share/d\u00f6s/x", "/usr/lib/systemd/systemd", "/usr/sbin/sshd", "/usr/etc/shadow", "/var/log/private/x/y",
        ];
        string[] found = [.. Tool.Shell("{ find /usr/lib/systemd /usr/sbin /usr/bin /etc /usr/share/doc /usr/lib/x86_64-linux-gnu /var/lib -xdev | awk 'NR % 13 == 1'; find /usr -xdev | awk 'NR % 997 == 1'; } | head -n 3000").Ok().OutputLines];
        using var scratch = new ScratchDirectory();
        DebianPolicy.CopyTo(scratch.MakeDirectory("usr/etc"));
        using LinuxDirectory root = LinuxDirectory.Open(scratch.Path);
        using SePolicy policy = SePolicy.Load(root)!;
        using FileContexts whole = FileContexts.Open(scratch["usr/etc/selinux/default/contexts/files/file_contexts"]);
        Parallel.ForEach([.. named, .. found], path =>
        {
            foreach (uint mode in (ReadOnlySpan<uint>)[RegularFile, Directory, SymbolicLink])
            {
                string? expected = path == "/proc" ? whole.Find("/mnt", mode) : whole.Find(path, mode);
                if (policy.Label(path, mode) != expected)
                    Assert.Fail($"{path} {mode:x} is {policy.Label(path, mode)}, not {expected}");
            }
        });
    }
}
