using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot.Tests;

/// <summary>The composefs images of deployments, and trees that will not boot without.</summary>
public sealed class ComposefsTests : IDisposable
{
    private readonly BootedSysroot booted = new();

    [Fact]
    public void Every_deployment_has_an_image_until_it_goes()
    {
        Assert.All(Directory.GetDirectories(booted["ostree/deploy/testos/deploy"]), path => Assert.True(File.Exists(path + "/.ostree.cfs")));
        using Sysroot sysroot = booted.Open();
        Deployment staged = sysroot.Stage(Request(sysroot, "v2"));
        Assert.True(File.Exists(booted[staged.Path + "/.ostree.cfs"]));
        sysroot.FinalizeStaged();
        sysroot.Reload();
        string finalized = booted[sysroot.Deployments[0].Path];
        Assert.True(File.Exists(finalized + "/.ostree.cfs"));
        sysroot.WriteDeployments([sysroot.Booted!]);
        Assert.False(Directory.Exists(finalized));
    }

    [Theory]
    [InlineData("yes", null)]
    [InlineData("maybe", null)]
    [InlineData("verity", "demands fs-verity")]
    [InlineData("signed", "demands fs-verity")]
    public void What_the_running_machine_could_not_boot_is_refused(string enabled, string? refusal)
    {
        booted.Disk.Commit("protected", "4.0", edit: $"mkdir usr/lib/ostree; printf '[composefs]\\nenabled = {enabled}\\n' > usr/lib/ostree/prepare-root.conf");
        using (Sysroot sysroot = booted.Open())
        {
            if (refusal is null || CanProtect())
            {
                Assert.True(File.Exists(booted[sysroot.Deploy(Request(sysroot, "protected")).Path + "/.ostree.cfs"]));
                return;
            }
            Exception e = Assert.Throws<SysrootException>(() => sysroot.Deploy(Request(sysroot, "protected")));
            Assert.Contains(refusal, e.InnerException!.InnerException!.Message);
            Assert.Single(Directory.GetDirectories(booted["ostree/deploy/testos/deploy"]));
        }

        // An installer prepares what another kernel is to boot: it is told.
        using Sysroot elsewhere = booted.Disk.Open();
        elsewhere.Deploy(Request(elsewhere, "protected"));
        Assert.Contains(booted.Disk.Warnings, warning => warning.Contains(refusal, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_system_without_verity_is_told_of_where_it_is_required()
    {
        if (CanProtect())
        {
            return;
        }
        booted.Disk.Shell("printf '[ex-integrity]\\nfsverity=yes\\n' >> ostree/repo/config");
        using Sysroot sysroot = booted.Open();
        Exception e = Assert.Throws<SysrootException>(() => sysroot.Deploy(Request(sysroot, "v2")));
        Assert.Equal("fsverity required but filesystem does not support it", e.InnerException!.InnerException!.Message);
        Assert.Throws<SysrootException>(() => sysroot.UpdateAfterCopy());
    }

    [Theory]
    [InlineData("[composefs]\nenabled=signed\n[root]\ntransient-ro=true\n", "Yes True True True False")]
    [InlineData("[composefs]\nenabled=verity\n[etc]\ntransient=true\n", "Yes True False False True")]
    [InlineData("[composefs]\nenabled= maybe \n[root]\ntransient=false\n", "Maybe False False False False")]
    [InlineData("", "No False False False False")]
    public void Settings_are_read_as_the_initramfs_reads_them(string text, string expected)
    {
        using var scratch = new ScratchDirectory("settings");
        scratch.Write("usr/lib/ostree/prepare-root.conf", text);
        using LinuxDirectory root = LinuxDirectory.Open(scratch.Path);
        PrepareRootSettings settings = PrepareRootSettings.Read(root);
        Assert.Equal(expected, $"{settings.Composefs} {settings.RequiresVerity} {settings.IsSigned} {settings.HasTransientRoot} {settings.HasTransientEtc}");

        scratch.Write("etc/ostree/prepare-root.conf", "[etc]\ntransient=true\n");
        Assert.Equal(new PrepareRootSettings(default, false, false, false, true), PrepareRootSettings.Read(root));
    }

    /// <summary>Whether kernel and file system of this machine know fs-verity.</summary>
    private bool CanProtect()
    {
        using LinuxDirectory root = LinuxDirectory.Open(booted.Disk.Path);
        using TemporaryFile file = root.CreateTemporaryFile();
        file.EndWriting();
        return FsVerity.TryEnable(file.Handle);
    }

    private static DeployRequest Request(Sysroot sysroot, string branch) => new()
    {
        Stateroot = TestSysroot.Stateroot,
        Commit = sysroot.Repo.ResolveRequired(branch),
        Origin = Origin.FromRefspec(branch),
        Merge = sysroot.Booted,
    };

    public void Dispose() => booted.Dispose();
}
