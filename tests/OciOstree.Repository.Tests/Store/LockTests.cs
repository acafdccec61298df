namespace OciOstree.Repository.Tests;

public class LockTests
{
    [Fact]
    public void Writers_share_and_deleters_are_alone()
    {
        using ScratchDirectory scratch = new();
        using Repo one = TransactionTests.New(scratch, RepoMode.Bare, config: "lock-timeout-secs=0\n"), two = Repo.Open(scratch["repo"]);
        using (one.Locking.Take(RepoLockKind.Shared))
        {
            two.Locking.Take(RepoLockKind.Shared).Dispose();
            RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => two.Locking.Take(RepoLockKind.Exclusive));
            Assert.Contains("Locking repo exclusive failed", e.Message);
        }
        using (one.Locking.Take(RepoLockKind.Exclusive))
        {
            Assert.ThrowsAny<RepositoryException>(() => two.Locking.Take(RepoLockKind.Shared));
            // The same instance holds them all together.
            one.Locking.Take(RepoLockKind.Shared).Dispose();
            one.Locking.Take(RepoLockKind.Exclusive).Dispose();
            Assert.ThrowsAny<RepositoryException>(() => two.BeginTransaction());
        }
        two.Locking.Take(RepoLockKind.Exclusive).Dispose();
    }

    [Fact]
    public void An_upgrade_waits_for_the_other_sharers_and_falls_back_after()
    {
        using ScratchDirectory scratch = new();
        using Repo one = TransactionTests.New(scratch, RepoMode.Bare, config: "lock-timeout-secs=0\n"), two = Repo.Open(scratch["repo"]);
        using RepoLock.Holder shared = one.Locking.Take(RepoLockKind.Shared);
        using (two.Locking.Take(RepoLockKind.Shared))
            Assert.ThrowsAny<RepositoryException>(() => one.Locking.Take(RepoLockKind.Exclusive));
        using (one.Locking.Take(RepoLockKind.Exclusive))
            Assert.ThrowsAny<RepositoryException>(() => two.Locking.Take(RepoLockKind.Shared));
        two.Locking.Take(RepoLockKind.Shared).Dispose();
        Assert.ThrowsAny<RepositoryException>(() => two.Locking.Take(RepoLockKind.Exclusive));
    }

    [Fact]
    public void A_waiter_gets_the_lock_when_it_is_free()
    {
        using ScratchDirectory scratch = new();
        using Repo one = TransactionTests.New(scratch, RepoMode.Bare, config: "lock-timeout-secs=60\n"), two = Repo.Open(scratch["repo"]);
        RepoLock.Holder held = one.Locking.Take(RepoLockKind.Exclusive);
        bool released = false;
        Thread releaser = new(() =>
        {
            Thread.Sleep(300);
            Volatile.Write(ref released, true);
            held.Dispose();
        });
        releaser.Start();
        using RepoLock.Holder taken = two.Locking.Take(RepoLockKind.Shared);
        Assert.True(Volatile.Read(ref released));
        releaser.Join();
    }

    [Fact]
    public void The_real_program_respects_our_lock_and_we_its()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive, config: "lock-timeout-secs=0\n");
        using (repo.BeginTransaction())
        {
            ToolResult prune = Ostree.Run(scratch["repo"], "prune").Failed();
            Assert.Contains("Locking repo exclusive failed", prune.Error);
        }
        using (repo.Locking.Take(RepoLockKind.Exclusive))
        {
            scratch.MakeDirectory("tree");
            ToolResult commit = Ostree.Run(scratch["repo"], "commit", "-b", "x", $"--tree=dir={scratch["tree"]}").Failed();
            Assert.Contains("Locking repo shared failed", commit.Error);
        }
        Ostree.Run(scratch["repo"], "prune").Ok();
    }

    [Fact]
    public void Locking_can_be_off()
    {
        using ScratchDirectory scratch = new();
        using Repo one = TransactionTests.New(scratch, RepoMode.Bare, config: "locking=false\nlock-timeout-secs=0\n"), two = Repo.Open(scratch["repo"]);
        using RepoLock.Holder a = one.Locking.Take(RepoLockKind.Exclusive), b = two.Locking.Take(RepoLockKind.Exclusive);
        Assert.False(File.Exists(scratch["repo/.lock"]));
    }

    // ostree says "Resource temporarily unavailable", nothing else.
    [Fact]
    public void Who_waits_is_told_who_holds_the_lock_and_for_how_long_it_waited()
    {
        using ScratchDirectory scratch = new();
        using Repo one = TransactionTests.New(scratch, RepoMode.Bare, config: "lock-timeout-secs=0\n"), two = Repo.Open(scratch["repo"]);
        using RepoLock.Holder held = one.Locking.Take(RepoLockKind.Shared);
        string message = Assert.ThrowsAny<RepositoryException>(() => two.Locking.Take(RepoLockKind.Exclusive)).Message;
        Assert.Contains("Locking repo exclusive failed: Resource temporarily unavailable", message);
        Assert.Contains("after 0 seconds", message);
        Assert.Contains($"{scratch["repo"]}/.lock is held by", message);
        Assert.Contains($"(process {Environment.ProcessId})", message);
    }

    // libostree decided what to keep before it took the lock, and deleted what came in between (until 2023).
    [Fact]
    public void What_is_committed_while_a_prune_waits_for_the_lock_stays()
    {
        using ScratchDirectory scratch = new();
        using Repo one = TransactionTests.New(scratch, RepoMode.Bare, config: "lock-timeout-secs=60\n"), two = Repo.Open(scratch["repo"]);
        scratch.Write("tree/file", "content");
        using ManualResetEventSlim waiting = new();
        List<string> notices = [];
        (two.Locking.NoticeAfter, two.Locking.Notice) = (TimeSpan.Zero, line =>
        {
            notices.Add(line);
            waiting.Set();
        }
        );
        using RepoTransaction transaction = one.BeginTransaction();
        PruneResult? result = null;
        Thread pruner = new(() => result = two.Prune(new PruneOptions { RetainDepth = new Dictionary<string, int> { ["other"] = 1 }, Depth = 0 }));
        pruner.Start();
        Assert.True(waiting.Wait(TimeSpan.FromMinutes(1)));
        Ostree.Run(scratch["repo"], "commit", "-b", "main", $"--tree=dir={scratch["tree"]}").Ok();
        transaction.Dispose();
        pruner.Join();
        Assert.Equal(0, result?.ObjectsPruned);
        Assert.Contains("Waiting for the repository's lock: ", Assert.Single(notices));
        Ostree.Run(scratch["repo"], "fsck").Ok();
        Assert.NotNull(two.ResolveRef("main"));
    }
}
