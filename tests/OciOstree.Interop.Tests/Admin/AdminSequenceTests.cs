using System.Globalization;

namespace OciOstree.Interop.Tests.Admin;

/// <summary>Random sequences of admin operations, done by the real program and by ours, must leave the same bytes after every step.</summary>
public sealed class AdminSequenceTests : IDisposable
{
    private readonly AdminScene scene = new();

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(RandomSequences.Seeds), MemberType = typeof(RandomSequences))]
    public void Both_programs_leave_the_same(int seed)
    {
        var random = new Random(seed);
        scene.MakeSysroot("real", AdminProgram.Real);
        scene.MakeSysroot("ours", AdminProgram.Ours);
        Both(["deploy", "--os=testos", "--karg=root=LABEL=x", "--karg=quiet", "os/v1"], [], 0);
        var history = new List<string>();
        for (int step = 1; step <= 14; step++)
        {
            if (random.Next(2) == 0)
            {
                string edit = RandomEdit(random);
                history.Add(edit);
                foreach (string sysroot in new[] { "real", "ours" })
                {
                    Tool.Shell($"root=$(ls -d ostree/boot.?/*/*/0 2>/dev/null | tail -n 1 || true); [ -n \"$root\" ] || exit 0; cd $root/etc; {edit}", scene[sysroot]).Ok();
                }
            }
            string[] operation = RandomOperation(random);
            history.Add(string.Join(' ', operation));
            Both(operation, history, step);
        }
    }

    private void Both(string[] operation, List<string> history, int step)
    {
        ToolResult real = AdminProgram.Real.Run([.. operation, $"--sysroot={scene["real"]}"]);
        ToolResult ours = AdminProgram.Ours.Run([.. operation, $"--sysroot={scene["ours"]}"]);
        string story = $"step {step}: {string.Join("; ", history)}\nreal: {real.Error}\nours: {ours.Error}";
        Assert.True(real.ExitCode == ours.ExitCode, $"exit codes {real.ExitCode} and {ours.ExitCode} at {story}");
        if (real.ExitCode != 0)
        {
            // What the real program leaves of a failed deployment, its next call removes.
            AdminProgram.Real.Run("cleanup", $"--sysroot={scene["real"]}").Ok();
            AdminProgram.Ours.Run("cleanup", $"--sysroot={scene["ours"]}").Ok();
        }
        Assert.Equal(
            AdminProgram.Real.Run("status", $"--sysroot={scene["real"]}").Ok().Output,
            AdminProgram.Ours.Run("status", $"--sysroot={scene["ours"]}").Ok().Output);
        string[] expected = scene.Snapshot("real").Split('\n');
        string[] actual = scene.Snapshot("ours").Split('\n');
        Assert.True(expected.SequenceEqual(actual), $"{story}\n{string.Join('\n', expected.Except(actual).Take(15).Select(l => "real " + l).Concat(actual.Except(expected).Take(15).Select(l => "ours " + l)))}");
    }

    private static string RandomEdit(Random random) => random.Next(9) switch
    {
        0 => "[ -d b ] || echo mine > b",
        1 => "rm -f c",
        2 => "mkdir -p own/deep; echo x > own/deep/x; chmod 700 own; chown 5:6 own/deep/x",
        3 => "chmod 600 d",
        4 => "rm -f a; ln -s elsewhere a",
        5 => "rm -rf sub/deep",
        6 => "echo changed > sub/e; ln -sf over link",
        7 => "rm -rf b; mkdir b; echo inside > b/x",
        _ => "echo appended >> d; setfattr -n user.note -v text d",
    };

    private static string[] RandomOperation(Random random)
    {
        string version = $"os/v{1 + random.Next(AdminScene.Versions)}";
        string stateroot = random.Next(6) == 0 ? "--os=other" : "--os=testos";
        string index = random.Next(4).ToString(CultureInfo.InvariantCulture);
        return random.Next(14) switch
        {
            0 => ["undeploy", index],
            1 => ["pin", index],
            2 => ["pin", "--unpin", index],
            3 => ["cleanup"],
            4 => ["deploy", stateroot, "--retain", version],
            5 => ["deploy", stateroot, "--not-as-default", version],
            6 => ["deploy", stateroot, "--retain-pending", "--karg=root=/dev/sda", version],
            7 => ["deploy", stateroot, "--retain-rollback", "--karg-append=console=ttyS0", "--karg-append=console=tty0", version],
            8 => ["deploy", stateroot, "--no-merge", "--karg=fresh", version],
            9 => ["deploy", stateroot, "--karg-none", "--no-prune", version],
            10 => ["instutil", "set-kargs", "--merge", "--replace=quiet=no", "--append=extra"],
            11 => ["deploy", stateroot, "os/missing"],
            _ => ["deploy", stateroot, version],
        };
    }
}
