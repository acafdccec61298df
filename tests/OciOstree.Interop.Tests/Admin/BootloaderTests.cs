namespace OciOstree.Interop.Tests.Admin;

/// <summary>Boot loaders that no machine here has: what is written for them is what the real program writes, and their programs are called as it calls them.</summary>
public sealed class BootloaderTests : IDisposable
{
    private readonly AdminScene scene = new();

    public void Dispose() => scene.Dispose();

    /// <summary>Makes version 6 of the tree: one with device trees, variables for U-Boot, and boot loader programs that write down how they were called.</summary>
    private void AddVersion(string deviceTrees)
    {
        string tree = scene["tree6"];
        Tool.Shell($$"""
            cp -a ../tree5 {{tree}}; cd {{tree}}
            mkdir -p usr/lib/ostree-boot usr/sbin; printf 'console=ttyAMA0\nfan=on\n' > usr/lib/ostree-boot/uEnv.txt
            {{deviceTrees}}
            cp /bin/busybox usr/bin/busybox; ln -s busybox usr/bin/sh; ln -s busybox usr/bin/ls; ln -s usr/bin bin; ln -s usr/lib lib; [ ! -e /lib64 ] || ln -s usr/lib64 lib64
            printf '#!/bin/sh\necho "$0 $@" $(ls -d /boot/loader/entries /usr/bin/program) >>/boot/calls\n' > usr/sbin/zipl; chmod 755 usr/sbin/zipl
            """, scene["tree5"]).Ok();
        Tool.Run("ostree", "commit", $"--repo={scene["repo"]}", "-b", "os/v6", $"--tree=dir={tree}", "--timestamp=2024-01-01 00:00:00 UTC").Ok();
    }

    private void MakeSysroot(string name, AdminProgram program, string bootloader)
    {
        scene.MakeSysroot(name, program);
        Tool.Run("ostree", "pull-local", $"--repo={scene[name]}/ostree/repo", scene["repo"], "os/v6").Ok();
        Tool.Run("ostree", "config", $"--repo={scene[name]}/ostree/repo", "set", "sysroot.bootloader", bootloader).Ok();
    }

    [Theory]
    [InlineData("echo tree > usr/lib/modules/6.1.0/devicetree", "fdt_file2=/boot/ostree/")]
    [InlineData("mkdir -p usr/lib/modules/6.1.0/dtb/vendor; echo one > usr/lib/modules/6.1.0/dtb/one.dtb; echo two > usr/lib/modules/6.1.0/dtb/vendor/two.dtb", "fdtdir2=/boot/ostree/")]
    public void U_boots_variables_are_the_real_ones(string deviceTrees, string variable)
    {
        AddVersion(deviceTrees);
        foreach ((string name, AdminProgram program) in new[] { ("real", AdminProgram.Real), ("ours", AdminProgram.Ours) })
        {
            MakeSysroot(name, program, "auto");
            // Found by the file that an installer leaves.
            Tool.Shell("mkdir -p boot/loader.0; ln -s loader.0 boot/loader; echo bootdelay=3 > boot/loader/uEnv.txt", scene[name]).Ok();
        }
        foreach (string[] operation in new string[][]
        {
            ["deploy", "--os=testos", "--karg=root=LABEL=x", "--karg=quiet", "os/v6"], ["deploy", "--os=testos", "os/v2"], ["deploy", "--os=other", "--retain", "--karg=other", "os/v6"], ["undeploy", "0"],
        })
        {
            AdminProgram.Real.Run([.. operation, $"--sysroot={scene["real"]}"]).Ok();
            AdminProgram.Ours.Run([.. operation, $"--sysroot={scene["ours"]}"]).Ok();
            Assert.Equal(File.ReadAllText(scene["real/boot/loader/uEnv.txt"]), File.ReadAllText(scene["ours/boot/loader/uEnv.txt"]));
            Assert.Equal(scene.Snapshot("real").Split('\n'), scene.Snapshot("ours").Split('\n'));
        }
        string variables = File.ReadAllText(scene["ours/boot/loader/uEnv.txt"]);
        Assert.Contains("kernel_image2=", variables);
        Assert.Contains(variable, variables);
    }

    /// <summary>The first deployment is written by the machine's own zipl, as nothing else is there; those that follow by the one of what is deployed.</summary>
    [Fact]
    public void Zipl_runs_after_the_switch_and_a_failure_is_made_good_by_the_next()
    {
        AddVersion("true");
        MakeSysroot("root", AdminProgram.Ours, "zipl");
        string programs = FakePrograms("zipl", "[ ! -e \"$FAIL\" ] || { echo no such device >&2; exit 3; }");
        Run(programs, "deploy", "--os=testos", "os/v6").Ok();
        Assert.Equal("zipl --secure auto -V", File.ReadAllLines(scene["calls"])[^1]);
        Assert.False(File.Exists(scene["root/boot/ostree-bootloader-update.stamp"]));

        Run(programs, "deploy", "--os=testos", "os/v2").Ok();
        Assert.Equal("/usr/sbin/zipl --secure auto -V /boot/loader/entries /usr/bin/program", File.ReadAllLines(scene["root/boot/calls"])[^1]);
        Assert.Single(File.ReadAllLines(scene["calls"]));
    }

    [Fact]
    public void Aboot_gets_the_image_its_configuration_and_the_arguments()
    {
        AddVersion("cp -a usr/lib/modules/6.1.0/vmlinuz usr/lib/modules/6.1.0/aboot.img; echo partitions > usr/lib/ostree-boot/aboot.cfg");
        MakeSysroot("root", AdminProgram.Ours, "aboot");
        string programs = FakePrograms("aboot-deploy", "[ ! -e \"$FAIL\" ] || { echo no such slot >&2; exit 3; }; pwd >>\"$CALLS\"; ls \"./$4\" \"./boot/$7\" >/dev/null");
        File.WriteAllText(scene["fail"], "");
        ToolResult failed = Run(programs, "deploy", "--os=testos", "--karg=root=LABEL=x", "os/v6").Failed();
        Assert.Contains("aboot-deploy: exit code 3: no such slot", failed.Error);
        // Switched already: the stamp stays, so that whatever is deployed next tries again.
        Assert.True(File.Exists(scene["root/boot/ostree-bootloader-update.stamp"]));
        File.Delete(scene["fail"]);
        Run(programs, "deploy", "--os=testos", "os/v6").Ok();
        string[] calls = File.ReadAllLines(scene["calls"]);
        string deployed = Tool.Run("ostree", "rev-parse", $"--repo={scene["repo"]}", "os/v6").Ok().OutputLine;
        string call = calls[^2], directory = calls[^1];
        Assert.StartsWith($"aboot-deploy -r . -c /ostree/deploy/testos/deploy/{deployed}.", call);
        Assert.Contains("/usr/lib/ostree-boot/aboot.cfg -o root=LABEL=x ostree=/ostree/boot.", call);
        Assert.EndsWith("/aboot-6.1.0.img", call);
        Assert.Equal(scene["root"], directory);
        Assert.False(File.Exists(scene["root/boot/ostree-bootloader-update.stamp"]));
    }

    /// <summary>A directory with one program that writes its name and arguments down, and then does as it is told.</summary>
    private string FakePrograms(string name, string then)
    {
        string directory = scene["programs"];
        Directory.CreateDirectory(directory);
        File.WriteAllText($"{directory}/{name}", $"#!/bin/sh\nCALLS={scene["calls"]} FAIL={scene["fail"]}\necho \"{name} $*\" >>\"$CALLS\"\n{then}\n");
        Tool.Run("chmod", "755", $"{directory}/{name}").Ok();
        return directory;
    }

    private ToolResult Run(string programs, params string[] arguments) => Tool.Run(
        new ToolStart(AdminProgram.Ours.Path)
        {
            Environment = new Dictionary<string, string?>
            {
                ["PATH"] = $"{programs}:{Environment.GetEnvironmentVariable("PATH")}",
                ["OSTREE_SYSROOT_OPTS"] = "bootloader-naming-1,skip-sync",
            },
        },
        ["admin", .. arguments, $"--sysroot={scene["root"]}"]);
}
