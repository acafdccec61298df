using System.Diagnostics;
using System.Globalization;

namespace OciOstree.Interop.Tests.Admin;

/// <summary>Killed at any instant, a deployment leaves a sysroot that boots the old or the new.</summary>
public sealed class KillTests : IDisposable
{
    private readonly AdminScene scene = new();

    public void Dispose() => scene.Dispose();

    // OCI_OSTREE_KILLS asks for more than the few that every run can afford.
    private static int Kills { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("OCI_OSTREE_KILLS"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked) ? asked : 30;

    [Fact]
    public void Operations_killed_at_random_instants_leave_the_old_or_the_new()
    {
        scene.MakeSysroot("sysroot", AdminProgram.Ours);
        string sysroot = scene["sysroot"];
        AdminProgram.Ours.Run("deploy", $"--sysroot={sysroot}", "--os=testos", "--karg=root=x", "os/v1").Ok();
        long start = Stopwatch.GetTimestamp();
        AdminProgram.Ours.Run("deploy", $"--sysroot={sysroot}", "--os=testos", "os/v4").Ok();
        double whole = Stopwatch.GetElapsedTime(start).TotalMilliseconds;

        var random = new Random(7);
        int killed = 0;
        for (int round = 0; round < Kills; round++)
        {
            string[] before = Refspecs(sysroot);
            string other = before[0] == "os/v4" ? "os/v5" : "os/v4";
            (string[] operation, string next) = random.Next(6) switch
            {
                0 when before.Length > 1 => ((string[])["set-default", "1"], before[1]),
                1 => (["cleanup"], before[0]),
                2 => (["instutil", "set-kargs", "--merge", FormattableString.Invariant($"--append=round={round}")], before[0]),
                3 when before.Length > 1 => (["undeploy", "0"], before[1]),
                _ => (["deploy", "--os=testos", other], other),
            };
            ToolResult result = Tool.Run(
                new ToolStart("timeout") { Environment = new Dictionary<string, string?> { ["OSTREE_SYSROOT_OPTS"] = "skip-sync" } },
                ["-s", "KILL", FormattableString.Invariant($"{random.NextDouble() * whole * 1.2 / 1000:0.0000}"), AdminProgram.Ours.Path, "admin", .. operation, $"--sysroot={sysroot}"]);
            killed += result.ExitCode == 0 ? 0 : 1;
            string now = Refspecs(sysroot)[0];
            Assert.True(now == before[0] || now == next, $"{string.Join(' ', operation)} made {now} of {before[0]}");
            if (result.ExitCode == 0)
            {
                Assert.Equal(next, now);
            }
            Tool.Shell("""
                for entry in boot/loader/entries/*.conf; do
                    root=.$(sed -n 's/.*ostree=\([^ ]*\).*/\1/p' $entry)
                    cmp boot$(sed -n 's/^linux //p' $entry) $root/usr/lib/modules/6.1.0/vmlinuz
                    cmp boot$(sed -n 's/^initrd //p' $entry) $root/usr/lib/modules/6.1.0/initramfs.img
                    test -f $root/etc/a
                done
                """, sysroot).Ok();
        }
        Assert.InRange(killed, Kills / 6, Kills);
        AdminProgram.Ours.Run("cleanup", $"--sysroot={sysroot}").Ok();
        Tool.Run("ostree", "fsck", "-q", $"--repo={sysroot}/ostree/repo").Ok();
    }

    /// <summary>What the real program reads, in boot order.</summary>
    private static string[] Refspecs(string sysroot) =>
        [.. Tool.Run("ostree", "admin", "status", $"--sysroot={sysroot}").Ok().OutputLines.Where(line => line.Contains("refspec", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf(' ') + 1)..])];

    [Fact]
    public void A_boot_partition_without_room_or_write_access_is_one_line_and_changes_nothing()
    {
        scene.MakeSysroot("sysroot", AdminProgram.Ours);
        string sysroot = scene["sysroot"];
        AdminProgram.Ours.Run("deploy", $"--sysroot={sysroot}", "--os=testos", "os/v1").Ok();
        foreach ((string options, string reason) in new[] { ("size=16k", "No space left on device"), ("size=1m,ro", "Read-only file system") })
        {
            // A mount of its own over /boot, with what is there: seen by nobody else.
            ToolResult result = Tool.Shell($$"""
                exec unshare -m --propagation private sh -ec '
                    mkdir -p ../keep; cp -a boot ../keep/
                    mount -t tmpfs -o {{options.Replace(",ro", "", StringComparison.Ordinal)}} none boot
                    cp -a ../keep/boot/. boot/
                    {{(options.EndsWith(",ro", StringComparison.Ordinal) ? "mount -o remount,ro boot" : "head -c 1m /dev/zero > boot/filler || true")}}
                    list() { find boot ostree \( -path ostree/repo -o -path ostree/deploy/testos/var \) -prune -o -printf "%p %y %m %l\n" | LC_ALL=C sort; }
                    list > ../before
                    code=0; {{AdminProgram.Ours.Path}} admin deploy --sysroot=. --os=testos os/v4 > ../output 2> ../errors || code=$?
                    list > ../after
                    cmp ../before ../after
                    ostree admin status --sysroot=. > ../status
                    cat ../errors
                    exit $code'
                """, sysroot);
            Assert.True(result.ExitCode == 1, result.Output + result.Error);
            Assert.Single(result.OutputLines);
            Assert.StartsWith("error: ", result.Output);
            Assert.Contains(reason, result.Output);
        }
    }

    [Fact]
    public void A_boot_partition_of_its_own_gets_copies()
    {
        scene.MakeSysroot("sysroot", AdminProgram.Ours);
        Tool.Shell($"""
            exec unshare -m --propagation private sh -ec '
                mount -t tmpfs none boot
                {AdminProgram.Ours.Path} admin deploy --sysroot=. --os=testos os/v1 > /dev/null
                {AdminProgram.Ours.Path} admin deploy --sysroot=. --os=testos os/v5 > /dev/null
                test "$(readlink boot/boot)" = .
                cmp boot$(sed -n "s/^linux //p" boot/loader/entries/ostree-2.conf) ostree/boot.?/testos/*/0/usr/lib/modules/6.1.0/vmlinuz ||
                    cmp boot$(sed -n "s/^linux //p" boot/loader/entries/ostree-2.conf) ostree/deploy/testos/deploy/$(ostree rev-parse --repo=ostree/repo os/v5).0/usr/lib/modules/6.1.0/vmlinuz
                ostree admin status --sysroot=. | grep -q "refspec: os/v5"'
            """, scene["sysroot"]).Ok();
    }
}
