namespace OciOstree.Sysroot.Tests;

public sealed class ChangedArgumentsTests : IDisposable
{
    private readonly BootedSysroot system = new();

    public void Dispose() => system.Dispose();

    [Fact]
    public void What_runs_keeps_its_arguments_to_go_back_to()
    {
        using (Sysroot sysroot = system.Open())
        {
            KernelArguments arguments = sysroot.Booted!.KernelArguments;
            arguments.Append("quiet");
            sysroot.ChangeKernelArguments(sysroot.Booted, arguments, lockFinalization: true);
            Assert.True(sysroot.Staged!.IsFinalizationLocked);
            Assert.Equal(sysroot.Booted!.Commit, sysroot.Staged.Commit);
            Assert.DoesNotContain("quiet", sysroot.Booted.KernelArguments.ToString());

            // What waits already is changed where it is.
            arguments = sysroot.Staged.KernelArguments;
            arguments.Append("debug");
            sysroot.ChangeKernelArguments(sysroot.Staged, arguments);
            sysroot.SetFinalizationLocked(false);
        }
        using (Sysroot sysroot = system.Open())
        {
            Assert.True(sysroot.FinalizeStaged());
        }
        using Sysroot last = system.Open(readOnly: true);
        Assert.Matches("^root=x ostree=/ostree/boot[^ ]* quiet debug$", last.Deployments[0].KernelArguments.ToString());
        Assert.Matches("^root=x ostree=/ostree/boot[^ ]*$", last.Deployments[1].KernelArguments.ToString());
        Assert.True(last.Deployments[1].IsSame(last.Booted));
        Assert.True(last.RollbackTarget!.IsSame(last.Booted));
    }
}
