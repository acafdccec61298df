using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Sysroot.Tests;

/// <summary>Staging needs a booted system: here a scratch sysroot plays one, with a /run of its own.</summary>
public sealed class StagingTests : IDisposable
{
    private readonly TestSysroot sysroot = new();
    private readonly ScratchDirectory run = new("run");
    private int unitStarts;

    public StagingTests()
    {
        sysroot.Commit("v1", "1.0");
        sysroot.Commit("v2", "2.0", kernel: "2");
        sysroot.Commit("v3", "3.0", kernel: "3");
        Deployment booted = sysroot.Deploy("v1", Retention.Default, "root=x");
        using LinuxDirectory root = LinuxDirectory.Open(sysroot.Path);
        FileStatus status = root.Status(booted.Path);
        File.WriteAllBytes(run["ostree-booted"], Variant.Dictionary(
            [new("backing-root-device-inode", Variant.Tuple(Variant.UInt64(status.Device), Variant.UInt64(status.Inode)))]).Data.ToArray());
    }

    public void Dispose()
    {
        sysroot.Dispose();
        run.Dispose();
    }

    private Sysroot Open(bool readOnly = false) => Sysroot.Open(sysroot.Path, new SysrootOptions
    {
        ReadOnly = readOnly,
        RunningRoot = sysroot.Path,
        RuntimeDirectory = run.Path,
        StartFinalization = () => unitStarts++,
        Message = sysroot.Messages.Add,
        Warning = sysroot.Warnings.Add,
    });

    private static DeployRequest Request(Sysroot sysroot, string branch, bool locked = false, string[]? arguments = null) => new()
    {
        Stateroot = TestSysroot.Stateroot,
        Commit = sysroot.Repo.ResolveRequired(branch),
        Origin = Origin.FromRefspec(branch),
        Merge = sysroot.Booted,
        KernelArguments = arguments,
        LockFinalization = locked,
    };

    [Fact]
    public void The_booted_deployment_is_known_by_its_directory()
    {
        using Sysroot sysroot = Open(readOnly: true);
        Assert.True(sysroot.IsBooted);
        Assert.Equal("1.0", sysroot.VersionOf(sysroot.Booted!.Commit));
        Assert.Null(sysroot.Staged);
    }

    [Fact]
    public void What_is_done_to_etc_until_the_shutdown_is_carried_over()
    {
        string[] entries = TreeSnapshot.Of(this.sysroot["boot"]);
        using (Sysroot sysroot = Open())
        {
            Deployment staged = sysroot.Stage(Request(sysroot, "v2"));
            Assert.True(staged.IsStaged);
            Assert.Equal(1, unitStarts);
            Assert.Equal([staged, sysroot.Booted!], sysroot.Deployments);
            Assert.Equal(entries, TreeSnapshot.Of(this.sysroot["boot"]));
            File.WriteAllText(this.sysroot[$"{sysroot.Booted!.Path}/etc/b"], "late");
        }
        using (Sysroot sysroot = Open())
        {
            Assert.Equal("2.0", sysroot.VersionOf(sysroot.Staged!.Commit));
            Assert.True(sysroot.FinalizeStaged());
            Assert.False(sysroot.FinalizeStaged());
        }
        using (Sysroot sysroot = Open(readOnly: true))
        {
            Assert.Equal(["2.0", "1.0"], sysroot.Deployments.Select(d => sysroot.VersionOf(d.Commit)));
            Assert.Null(sysroot.Staged);
            Assert.Equal("late", File.ReadAllText(this.sysroot[$"{sysroot.Deployments[0].Path}/etc/b"]));
            Assert.StartsWith("root=x ostree=", sysroot.Deployments[0].KernelArguments.ToString());
        }
        Assert.False(File.Exists(run["ostree/staged-deployment"]));
        Assert.Contains("Version: 2.0", this.sysroot.RealStatus());
    }

    [Fact]
    public void A_second_one_replaces_the_first_and_a_rollback_drops_it()
    {
        using Sysroot sysroot = Open();
        Deployment first = sysroot.Stage(Request(sysroot, "v2"));
        sysroot.Stage(Request(sysroot, "v3", arguments: ["a=b"]));
        Assert.False(Directory.Exists(this.sysroot[first.Path]));
        Assert.Equal("3.0", sysroot.VersionOf(sysroot.Staged!.Commit));
        Assert.Equal("a=b", sysroot.Staged.KernelArguments.ToString());
        Assert.Equal("Cannot pin staged deployment", Assert.Throws<SysrootException>(() => sysroot.SetPinned(sysroot.Staged!, true)).Message);

        sysroot.SetKernelArgumentsInPlace(sysroot.Staged, KernelArguments.Parse("c=d"));
        sysroot.Reload();
        Assert.Equal("c=d", sysroot.Staged!.KernelArguments.ToString());

        sysroot.Undeploy(0);
        Assert.Null(sysroot.Staged);
        Assert.Single(sysroot.Deployments);
        Assert.Single(Directory.GetDirectories(this.sysroot["ostree/deploy/testos/deploy"]));
        Assert.False(File.Exists(run["ostree/staged-deployment"]));
    }

    [Fact]
    public void A_locked_one_waits()
    {
        using Sysroot sysroot = Open();
        sysroot.Stage(Request(sysroot, "v2", locked: true));
        Assert.True(sysroot.Staged!.IsFinalizationLocked);
        Assert.False(sysroot.SetFinalizationLocked(true));
        Assert.False(sysroot.FinalizeStaged());
        Assert.NotNull(sysroot.Staged);
        Assert.True(sysroot.SetFinalizationLocked(false));
        Assert.True(sysroot.FinalizeStaged());
    }

    [Fact]
    public void A_shutdown_that_fails_tells_the_next_boot_once()
    {
        using Sysroot sysroot = Open();
        sysroot.Stage(Request(sysroot, "v2"));
        Directory.CreateDirectory(this.sysroot[$"{sysroot.Staged!.Path}/etc/thing"]);
        File.WriteAllText(this.sysroot[$"{sysroot.Booted!.Path}/etc/thing"], "a file");
        Assert.Throws<SysrootException>(() => sysroot.FinalizeStaged());
        using Sysroot next = Reopened(sysroot);
        Assert.Single(next.Deployments);
        string told = Assert.Throws<SysrootException>(next.CompleteBoot).Message;
        Assert.Contains("failed on previous boot", told);
        Assert.Contains("Modified config file newly defaults to directory 'thing'", told);
        next.CompleteBoot();
    }

    private Sysroot Reopened(Sysroot sysroot)
    {
        sysroot.Dispose();
        return Open();
    }

    [Fact]
    public void The_booted_deployment_cannot_go()
    {
        using Sysroot sysroot = Open();
        Assert.Equal("Cannot undeploy currently booted deployment 0", Assert.Throws<SysrootException>(() => sysroot.Undeploy(0)).Message);
        Assert.Equal("Attempting to remove booted deployment", Assert.Throws<SysrootException>(() => sysroot.WriteDeployments([])).Message);
    }

    [Fact]
    public void Only_a_booted_system_stages()
    {
        using Sysroot sysroot = this.sysroot.Open();
        Assert.Contains("Not currently booted into an OSTree system", Assert.Throws<SysrootException>(() => sysroot.Stage(Request(sysroot, "v2"))).Message);
    }

    [Fact]
    public void A_staged_file_of_nonsense_is_told()
    {
        Directory.CreateDirectory(run["ostree"]);
        File.WriteAllBytes(run["ostree/staged-deployment"], Variant.Dictionary([new("target", Variant.Dictionary([new("name", Variant.String("x"))]))]).Data.ToArray());
        Assert.ThrowsAny<SysrootException>(() => Open().Dispose());
        File.WriteAllBytes(run["ostree/staged-deployment"], [1, 2, 3, 255, 255, 9]);
        using Sysroot sysroot = Open(readOnly: true);
        Assert.Null(sysroot.Staged);
    }
}
