using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Sysroot.Tests;

/// <summary>Cuts the power, or lets one change fail, before every single change that an operation makes.</summary>
public sealed class PowerCutTests : IDisposable
{
    private readonly TestSysroot sysroot = new();

    public PowerCutTests()
    {
        sysroot.Commit("v1", "1.0");
        sysroot.Commit("v2", "2.0", kernel: "2");
        sysroot.Commit("v3", "2.0", kernel: "2");
        sysroot.Commit("v4", "4.0", kernel: "4");
        sysroot.Deploy("v1", Retention.Default, "root=x");
        Tool.Shell("cd $(ls -d ostree/deploy/testos/deploy/*.0)/etc; echo mine > b; rm c; mkdir -p own/deep; echo f > own/deep/f", sysroot.Path).Ok();
        sysroot.Deploy("v2");
    }

    public void Dispose() => sysroot.Dispose();

    private sealed class Cut(string change) : IOException($"cut before: {change}");

    public static TheoryData<string> Operations => ["new kernel", "same kernel", "undeploy", "arguments", "pin"];

    /// <summary>Those of a running system among them: what they keep in <c>/run</c> goes with the power.</summary>
    public static TheoryData<string> FurtherOperations => ["rollback", "cleanup", "stage", "finalize", "drop staged"];

    private static void Operate(Sysroot sysroot, string operation)
    {
        switch (operation)
        {
            case "new kernel":
                TestSysroot.Deploy(sysroot, "v4");
                break;
            case "same kernel":
                TestSysroot.Deploy(sysroot, "v3");
                break;
            case "undeploy":
                sysroot.Undeploy(1);
                break;
            case "arguments":
                sysroot.SetKernelArguments(sysroot.Deployments[0], ["root=y"]);
                break;
            case "pin":
                sysroot.SetPinned(sysroot.Deployments[1], true);
                break;
            case "rollback":
                sysroot.SetDefault(1);
                break;
            case "cleanup":
                sysroot.Cleanup();
                break;
            case "stage":
                sysroot.Stage(Staged(sysroot));
                break;
            case "finalize":
                Assert.True(sysroot.FinalizeStaged());
                break;
            case "drop staged":
                sysroot.Undeploy(0);
                break;
            default:
                throw new ArgumentException(operation, nameof(operation));
        }
    }

    private static DeployRequest Staged(Sysroot sysroot) => new()
    {
        Stateroot = TestSysroot.Stateroot,
        Commit = sysroot.Repo.ResolveRequired("v4"),
        Origin = Origin.FromRefspec("v4"),
        Merge = sysroot.Booted,
    };

    [Theory]
    [MemberData(nameof(Operations))]
    public void A_cut_at_any_change_boots_the_old_or_the_new(string operation) => CutEverywhere(operation, stayDown: true);

    [Theory]
    [MemberData(nameof(FurtherOperations))]
    public void A_cut_at_any_change_of_a_running_system_boots_the_old_or_the_new(string operation) => CutEverywhere(operation, stayDown: true);

    [Theory]
    [MemberData(nameof(Operations))]
    public void An_error_at_any_change_is_told_and_leaves_the_old_or_the_new(string operation) => CutEverywhere(operation, stayDown: false);

    /// <summary>An installation that was cut short is no system yet, and in nobody's way: it can be begun again from any state.</summary>
    [Fact]
    public void A_cut_at_any_change_of_an_installation_lets_it_be_done_again()
    {
        string target = this.sysroot.Path + "-target";
        int changes = 0;
        Install(_ => changes++);
        Assert.Equal("version 4.0", Installed());
        for (int cut = 1; cut <= changes; cut++)
        {
            TestSysroot.Remove(target);
            int count = 0;
            string where = "";
            Assert.ThrowsAny<Exception>(() => Install(change =>
            {
                if (++count >= cut)
                {
                    where = count == cut ? change : where;
                    throw new Cut(change);
                }
            }));
            if (File.Exists(target + "/ostree/repo/config") && Directory.Exists(target + "/ostree/deploy"))
            {
                // Nothing, or already the whole.
                string status = Tool.Run("ostree", "admin", "status", $"--sysroot={target}").Ok().Output;
                Assert.True(status.Contains("No deployments", StringComparison.Ordinal) || Installed() == "version 4.0", $"cut {cut} before '{where}': {status}");
                if (!status.Contains("No deployments", StringComparison.Ordinal))
                {
                    continue;
                }
            }
            Install(null);
            Assert.Equal("version 4.0", Installed());
        }

        string Installed()
        {
            State(target);
            using Sysroot sysroot = this.sysroot.Open(readOnly: true, target);
            return "version " + sysroot.VersionOf(Assert.Single(sysroot.Deployments).Commit);
        }

        void Install(Action<string>? hook)
        {
            Directory.CreateDirectory(target);
            try
            {
                FaultPoint.Set(hook);
                using Sysroot sysroot = new Installation(new RootMount(target, "1111-2222", "ext4", ""), InstallLoader.Extlinux).Begin(TestSysroot.Stateroot, new SysrootOptions());
                // What an image's layers bring, comes from the repository beside here.
                Tool.Run("ostree", "pull-local", $"--repo={target}/ostree/repo", this.sysroot["ostree/repo"], "v4").Ok();
                Deployment deployment = sysroot.Deploy(new DeployRequest { Stateroot = TestSysroot.Stateroot, Commit = sysroot.Repo.ResolveRequired("v4"), KernelArguments = ["root=UUID=1111-2222"] });
                sysroot.AddDeployment(deployment, null, Retention.Default);
            }
            finally
            {
                FaultPoint.Set(null);
            }
        }
    }

    /// <param name="operation">What to do.</param>
    /// <param name="stayDown">Everything after the cut fails too, so that nothing can be undone; else only that one change fails.</param>
    private void CutEverywhere(string operation, bool stayDown)
    {
        string before = State(sysroot.Path);
        string[] exactlyBefore = BootState(sysroot.Path);
        string complete = sysroot.Copy("complete");
        int changes = 0;
        Run(complete, operation, _ => changes++);
        string after = State(complete);
        Assert.True(changes > 1);

        bool switched = false;
        for (int cut = 1; cut <= changes; cut++)
        {
            string copy = sysroot.Copy("cut");
            int count = 0;
            string where = "";
            Exception failure = Assert.ThrowsAny<Exception>(() => Run(copy, operation, change =>
            {
                count++;
                if (count == cut || (stayDown && count > cut))
                {
                    where = count == cut ? change : where;
                    throw new Cut(change);
                }
            }));
            Assert.Contains(where, Chain(failure));

            string now = State(copy);
            Assert.True(now == before || now == after, $"{operation}, cut {cut} of {changes} before '{where}':\n{now}\nbut before it was\n{before}\nand afterwards\n{after}");
            Assert.False(switched && now != after && before != after, $"went back to the old state at cut {cut} before '{where}'");
            switched |= now == after && before != after;
            if (!stayDown && now == before && before != after && operation is not "pin")
            {
                string[] exactlyNow = BootState(copy);
                Assert.True(exactlyBefore.SequenceEqual(exactlyNow), $"{operation}, cut {cut} before '{where}' left\n{string.Join('\n', exactlyNow.Except(exactlyBefore).Select(l => "+" + l).Concat(exactlyBefore.Except(exactlyNow).Select(l => "-" + l)))}");
            }
            // Whatever is left over must not be in the way.
            if (stayDown && cut % 10 == 0)
            {
                Run(copy, "new kernel", null);
                Assert.Contains("Version: 4.0", State(copy));
            }
        }
    }

    private void Run(string path, string operation, Action<string>? hook)
    {
        try
        {
            using Sysroot sysroot = FurtherOperations.Contains(operation) ? OpenRunning(path, operation) : this.sysroot.Open(readOnly: false, path);
            FaultPoint.Set(hook);
            Operate(sysroot, operation);
        }
        finally
        {
            FaultPoint.Set(null);
        }
    }

    /// <summary>As the system that runs from it, whose <c>/run</c> is new; prepared for the operation.</summary>
    private Sysroot OpenRunning(string path, string operation)
    {
        string run = path + ".run";
        Tool.Shell($"rm -rf {run}; mkdir {run}").Ok();
        using (LinuxDirectory root = LinuxDirectory.Open(path))
        using (Sysroot looked = this.sysroot.Open(readOnly: true, path))
        {
            FileStatus status = root.Status(looked.Deployments[0].Path);
            File.WriteAllBytes(run + "/ostree-booted", Variant.Dictionary(
                [new("backing-root-device-inode", Variant.Tuple(Variant.UInt64(status.Device), Variant.UInt64(status.Inode)))]).Data.ToArray());
        }
        Sysroot sysroot = Sysroot.Open(path, new SysrootOptions { RunningRoot = path, RuntimeDirectory = run, StartFinalization = () => { } });
        if (operation is "finalize" or "drop staged")
        {
            sysroot.Stage(Staged(sysroot));
        }
        return sysroot;
    }

    /// <summary>What the real program reads, and the kernel command lines; fails unless every entry leads to a kernel, an initramfs and a complete root.</summary>
    private static string State(string path) => Tool.Shell("""
        ostree admin status --sysroot=.
        for entry in boot/loader/entries/*.conf; do
            sed -n 's/^options \(.*\)ostree=.*/\1/p' $entry
            linux=$(sed -n 's/^linux //p' $entry); initrd=$(sed -n 's/^initrd //p' $entry)
            root=.$(sed -n 's/.*ostree=//p' $entry)
            cmp boot$linux $root/usr/lib/modules/6.1.0/vmlinuz
            cmp boot$initrd $root/usr/lib/modules/6.1.0/initramfs.img
            grep -q program $root/usr/bin/program
            case $PWD in *-target) continue ;; esac   # nobody has lived there yet
            grep -qx -e mine -e 'default b of v1' $root/etc/b
            test ! -e $root/etc/c
            grep -qx f $root/etc/own/deep/f
        done
        """, path).Ok().Output;

    /// <summary>All that a boot goes through, byte by byte.</summary>
    private static string[] BootState(string path) =>
        [.. new[] { "boot", "ostree/deploy" }.SelectMany(part => TreeSnapshot.Of(Path.Combine(path, part))), .. Directory.GetFileSystemEntries(Path.Combine(path, "ostree")).Select(Path.GetFileName).Order()!];

    private static string Chain(Exception? e)
    {
        string message = "";
        for (; e is not null; e = e.InnerException)
        {
            message += e.Message + ": ";
        }
        return message;
    }
}
