using System.Diagnostics;

namespace OciOstree.Linux.Tests;

public sealed class FileLockTests : IDisposable
{
    private readonly Scratch scratch = new();

    private LinuxDirectory Root => scratch.Directory;

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData(LockMethod.OpenFileDescription, false)]
    [InlineData(LockMethod.OpenFileDescription, true)]
    [InlineData(LockMethod.Flock, false)]
    public void Shared_ones_share_and_an_exclusive_one_does_not(LockMethod method, bool oldKernel)
    {
        using var _ = Kernel.Withhold(oldKernel ? KernelAbility.DescriptorLocks : KernelAbility.None);
        using (var first = FileLock.Acquire(Root, ".lock", LockKind.Shared, method: method))
        using (var second = FileLock.TryAcquire(Root, ".lock", LockKind.Shared, method))
        {
            Assert.NotNull(second);
            Assert.Null(FileLock.TryAcquire(Root, ".lock", LockKind.Exclusive, method));
            Assert.False(first.TryChange(LockKind.Exclusive));
            second.Dispose();
            Assert.True(first.TryChange(LockKind.Exclusive));
            var error = Assert.Throws<LinuxException>(() => FileLock.Acquire(Root, ".lock", LockKind.Shared, TimeSpan.FromMilliseconds(30), method));
            Assert.Equal(Errno.ETIMEDOUT, error.Errno);
        }
        using var third = FileLock.TryAcquire(Root, ".lock", LockKind.Exclusive, method);
        Assert.NotNull(third);
        Assert.True(Root.Exists(".lock"));
    }

    [Fact]
    public void A_waiter_gets_it_when_it_is_let_go()
    {
        var held = FileLock.Acquire(Root, "l", LockKind.Exclusive, removeOnRelease: true);
        using var ready = new ManualResetEventSlim();
        FileLock? got = null;
        var waiter = new Thread(() =>
        {
            ready.Set();
            got = FileLock.Acquire(Root, "l", LockKind.Exclusive, removeOnRelease: true);
        });
        waiter.Start();
        ready.Wait();
        Thread.Sleep(50);
        Assert.Null(got);
        held.Dispose();   // removes the file that the waiter has open: it must notice and lock the new one
        waiter.Join();
        Assert.True(Root.Exists("l"));
        Assert.Null(FileLock.TryAcquire(Root, "l", LockKind.Shared));
        got!.Dispose();
        Assert.False(Root.Exists("l"));
    }

    [Fact]
    public void Shared_holders_remove_the_file_only_when_last()
    {
        var first = FileLock.Acquire(Root, "l", LockKind.Shared, removeOnRelease: true);
        var second = FileLock.Acquire(Root, "l", LockKind.Shared, removeOnRelease: true);
        first.Dispose();
        Assert.True(Root.Exists("l"));
        second.Dispose();
        Assert.False(Root.Exists("l"));
    }

    [Fact]
    public void The_real_ostree_waits_for_our_lock()
    {
        string repo = scratch.Path + "/repo";
        Tool.Run("ostree", "init", "--repo=" + repo, "--mode=archive").Ok();
        Tool.Run("ostree", "config", "--repo=" + repo, "set", "core.lock-timeout-secs", "1").Ok();
        using var directory = LinuxDirectory.Open(repo);
        using (FileLock.Acquire(directory, ".lock", LockKind.Shared))
        {
            var start = new ProcessStartInfo("ostree", ["prune", "--repo=" + repo]) { RedirectStandardError = true, RedirectStandardOutput = true };
            using var prune = Process.Start(start)!;
            string error = prune.StandardError.ReadToEnd();
            prune.WaitForExit();
            Assert.NotEqual(0, prune.ExitCode);
            Assert.Contains("lock", error, StringComparison.OrdinalIgnoreCase);
        }
        Tool.Run("ostree", "prune", "--repo=" + repo).Ok();
    }
}
