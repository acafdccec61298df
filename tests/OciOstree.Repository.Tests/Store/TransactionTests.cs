using System.Security.Cryptography;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

public class TransactionTests
{
    private static readonly FileHeader Plain = FileHeader.Regular(0, 0, 0x1A4, XattrSet.Empty);

    public static TheoryData<RepoMode> Modes => [RepoMode.Bare, RepoMode.BareUser, RepoMode.BareUserOnly, RepoMode.Archive];

    public static TheoryData<RepoMode, int> ModesAndSizes
    {
        get
        {
            TheoryData<RepoMode, int> data = [];
            foreach (RepoMode mode in (RepoMode[])[RepoMode.Bare, RepoMode.BareUser, RepoMode.BareUserOnly, RepoMode.Archive])
                foreach (int size in (int[])[0, 1, 4095, 4096, 65535, 65536, 65537, (128 << 10) - 1, 128 << 10, (128 << 10) + 1, (1 << 20) + 17])
                    data.Add(mode, size);
            return data;
        }
    }

    internal static Repo New(ScratchDirectory scratch, RepoMode mode, string name = "repo", string config = "")
    {
        Repo.Create(scratch[name], mode).Dispose();
        File.AppendAllText(scratch[name + "/config"], "fsync=false\n" + config);
        return Repo.Open(scratch[name]);
    }

    private static byte[] Bytes(int size, int seed = 1)
    {
        byte[] bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Theory]
    [MemberData(nameof(ModesAndSizes))]
    public void Content_comes_back_as_it_went_in_from_streams_and_files(RepoMode mode, int size)
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, mode);
        byte[] content = Bytes(size), other = Bytes(size, 2);
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            Checksum checksum = transaction.WriteFile(Plain, size, new Trickle(content));
            File.WriteAllBytes(scratch["file"], other);
            using Microsoft.Win32.SafeHandles.SafeFileHandle handle = Files.Open(scratch["file"]);
            Checksum second = transaction.WriteFile(Plain, handle, size);
            Assert.Equal(Expected(Plain, content), checksum);
            Assert.Equal(Expected(Plain, other), second);
            // What is staged can be read in the transaction already.
            Assert.Equal(content, ReadAll(repo, checksum));
            Assert.Equal(Expected(Plain, content), transaction.WriteFile(Plain, size, new MemoryStream(content)));
            TransactionStats stats = transaction.Commit();
            Assert.Equal((size == 0 ? 1 : 2, 3), (stats.ContentWritten, stats.ContentTotal));
        }
        Assert.Equal(content, ReadAll(repo, Expected(Plain, content)));
        Assert.Equal(other, ReadAll(repo, Expected(Plain, other)));
        Assert.Equal(Plain, repo.ReadFileHeader(Expected(Plain, content), out long length));
        Assert.Equal(size, length);
    }

    private static Checksum Expected(FileHeader header, byte[] content) => Checksum.FromBytes(SHA256.HashData([.. header.SerializeForChecksum(), .. content]));

    private static byte[] ReadAll(Repo repo, Checksum checksum)
    {
        using RepoFile file = repo.OpenFile(checksum);
        using MemoryStream all = new();
        file.Content.CopyTo(all);
        return all.ToArray();
    }

    /// <summary>Gives a few bytes at a time, as networks do.</summary>
    private sealed class Trickle(byte[] content) : MemoryStream(content)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 5000)]);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_wrong_checksum_or_a_short_stream_stores_nothing(RepoMode mode)
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, mode);
        foreach (int size in (int[])[100, 300_000])
        {
            using RepoTransaction transaction = repo.BeginTransaction();
            byte[] content = Bytes(size);
            Checksum wrong = Checksum.Compute([9]);
            RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(Plain, size, new MemoryStream(content), wrong));
            Assert.Contains($"expected='{wrong}' actual='{Expected(Plain, content)}'", e.Message);
            e = Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(Plain, size + 1, new MemoryStream(content)));
            Assert.Contains("Unexpected EOF with 1/", e.Message);
            Assert.ThrowsAny<RepositoryException>(() => transaction.WriteMetadata(ObjectType.DirTree, DirTree.Empty.Serialize(), wrong));
            Assert.ThrowsAny<RepositoryException>(() => transaction.WriteMetadata(ObjectType.DirTree, [1, 2, 3]));
            Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(Plain with { Mode = 0x41ED }, 0, Stream.Null));
            transaction.Commit();
        }
        Assert.Empty(repo.ListObjects());
    }

    [Fact]
    public void Without_commit_refs_and_objects_are_as_before_and_the_next_transaction_has_what_was_verified()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare);
        Checksum file, commit;
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            file = transaction.WriteFile(Plain, 10, new MemoryStream(Bytes(10)));
            commit = transaction.WriteCommit(new Commit { RootTree = transaction.WriteDirTree(DirTree.Empty), RootMeta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ED, XattrSet.Empty)) });
            transaction.SetRef("test", commit);
            transaction.WriteCommitMeta(commit, Variant.Dictionary([]));
            transaction.MarkPartial(commit, true);
            Assert.True(repo.HasObject(new ObjectName(commit, ObjectType.Commit)));
        }
        Assert.Empty(repo.ListObjects());
        Assert.Empty(repo.ListRefs());
        Assert.Equal(CommitState.Whole, repo.StateOf(commit));
        Assert.False(repo.HasObject(new ObjectName(file, ObjectType.File)));
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            Checksum another = transaction.WriteFile(Plain, 11, new MemoryStream(Bytes(11)));
            Assert.True(transaction.HasObject(new ObjectName(file, ObjectType.File)));
            // A commit promises that its objects are there; one that was never finished is not taken over.
            Assert.False(transaction.HasObject(new ObjectName(commit, ObjectType.Commit)));
            transaction.Commit();
            Assert.Equal(2, repo.ListObjects().Count(name => name.Type == ObjectType.File));
            Assert.DoesNotContain(repo.ListObjects(), name => name.Type is ObjectType.Commit or ObjectType.CommitMeta);
            Assert.True(repo.HasObject(new ObjectName(another, ObjectType.File)));
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["repo/tmp"]));
    }

    // A killed pull's objects help the next one; ostree keeps those of every killed one until the next boot.
    [Fact]
    public void What_many_killed_transactions_staged_does_not_pile_up()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare), other = Repo.Open(scratch["repo"]);
        using RepoTransaction running = other.BeginTransaction();
        Checksum kept = running.WriteFile(Plain, 5, new MemoryStream(Bytes(5)));
        string[] theirs = Directory.GetDirectories(scratch["repo/tmp"]);
        foreach (char last in "abc")
            Directory.CreateDirectory(scratch[$"repo/tmp/staging-{BootId.Current}-abcde{last}/12"]);
        foreach (string directory in Directory.GetDirectories(scratch["repo/tmp"]))
            Directory.SetLastWriteTimeUtc(directory, DateTime.UtcNow.AddDays(-2));
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            transaction.WriteFile(Plain, 6, new MemoryStream(Bytes(6)));
            transaction.Commit();
        }
        Assert.Equal(theirs, Directory.GetDirectories(scratch["repo/tmp"]));
        running.Commit();
        Assert.True(repo.HasObject(new ObjectName(kept, ObjectType.File)));
    }

    [Fact]
    public void What_another_boot_staged_is_deleted_and_a_running_transaction_left_alone()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare), other = Repo.Open(scratch["repo"]);
        Directory.CreateDirectory(scratch["repo/tmp/staging-aaaaaaaa-0000-0000-0000-000000000000-abcdef/12"]);
        File.WriteAllText(scratch["repo/tmp/staging-aaaaaaaa-0000-0000-0000-000000000000-abcdef/12/x.file"], "");
        File.WriteAllText(scratch["repo/tmp/old"], "");
        File.SetLastWriteTimeUtc(scratch["repo/tmp/old"], DateTime.UtcNow.AddDays(-2));
        File.WriteAllText(scratch["repo/tmp/young"], "");
        Directory.CreateDirectory(scratch["repo/tmp/cache"]);
        using RepoTransaction running = other.BeginTransaction();
        Checksum kept = running.WriteFile(Plain, 5, new MemoryStream(Bytes(5)));
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            transaction.WriteFile(Plain, 6, new MemoryStream(Bytes(6)));
            transaction.Commit();
        }
        Assert.Equal(["cache", "staging-", "staging-", "young"], Directory.EnumerateFileSystemEntries(scratch["repo/tmp"]).Select(path => Path.GetFileName(path) is var name && name.StartsWith("staging-") ? "staging-" : name).Order());
        running.Commit();
        Assert.Equal(Bytes(5), ReadAll(repo, kept));
    }

    [Fact]
    public void Many_threads_write_the_same_and_different_objects_at_once()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare);
        using RepoTransaction transaction = repo.BeginTransaction();
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(thread => new Thread(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                int seed = i % 2 == 0 ? i : 1_000_000 + i * 100 + thread;
                transaction.WriteFile(Plain, 2000, new MemoryStream(Bytes(2000, seed)));
                transaction.WriteSymlink(FileHeader.Symlink(0, 0, $"target-{i}", XattrSet.Empty));
                transaction.WriteDirTree(DirTree.From([new($"f{i}", Checksum.Compute([(byte)i]))], []));
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        TransactionStats stats = transaction.Commit();
        Assert.Equal(100 + 100 * 8 + 200, stats.ContentWritten);
        Assert.Equal(200, stats.MetadataWritten);
        foreach (ObjectName name in repo.ListObjects())
            Assert.True(repo.VerifyObject(name));
        Assert.Equal(stats.ContentWritten + stats.MetadataWritten, repo.ListObjects().Count());
    }

    [Fact]
    public void Nothing_incomplete_is_ever_seen_while_objects_arrive()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare);
        using Repo watcher = Repo.Open(scratch["repo"]);
        bool done = false;
        int seen = 0;
        Thread watch = new(() =>
        {
            while (!Volatile.Read(ref done))
                foreach (ObjectName name in watcher.ListObjects())
                {
                    Assert.True(watcher.VerifyObject(name));
                    if (name.Type == ObjectType.Commit)
                        Assert.All(watcher.Traverse(name.Checksum), found => Assert.True(watcher.HasObject(found)));
                    seen++;
                }
        });
        watch.Start();
        for (int round = 0; round < 30; round++)
        {
            using RepoTransaction transaction = repo.BeginTransaction();
            List<DirTreeFile> files = [.. Enumerable.Range(0, 20).Select(i => new DirTreeFile($"f{i}", transaction.WriteFile(Plain, 9000, new MemoryStream(Bytes(9000, round * 100 + i)))))];
            transaction.WriteCommit(new Commit { Timestamp = (ulong)round, RootTree = transaction.WriteDirTree(DirTree.From(files, [])), RootMeta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ED, XattrSet.Empty)) });
            transaction.Commit();
        }
        Volatile.Write(ref done, true);
        watch.Join();
        Assert.True(seen > 0);
    }

    [Fact]
    public void An_object_that_is_there_keeps_its_inode()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare), other = Repo.Open(scratch["repo"]);
        using RepoTransaction one = repo.BeginTransaction(), two = other.BeginTransaction();
        Checksum checksum = one.WriteFile(Plain, 3, new MemoryStream([1, 2, 3]));
        two.WriteFile(Plain, 3, new MemoryStream([1, 2, 3]));
        one.Commit();
        string path = scratch[$"repo/objects/{checksum.ToString()[..2]}/{checksum.ToString()[2..]}.file"];
        ulong before = Files.TryStatus(path)!.Value.Inode;
        two.Commit();
        Assert.Equal(before, Files.TryStatus(path)!.Value.Inode);
    }

    [Fact]
    public void Detached_metadata_is_replaced_and_removed()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Archive);
        Checksum commit = Checksum.Compute([1]);
        Assert.Null(repo.ReadCommitMeta(commit));
        foreach (string value in (string[])["one", "two"])
        {
            using RepoTransaction transaction = repo.BeginTransaction();
            transaction.WriteCommitMeta(commit, Variant.Dictionary([new("key", Variant.String(value))]));
            transaction.Commit();
            Assert.Equal(value, repo.ReadCommitMeta(commit)!.Lookup("key")!.AsString());
        }
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            transaction.WriteCommitMeta(commit, null);
            Assert.NotNull(repo.ReadCommitMeta(commit));
            transaction.Commit();
        }
        Assert.Null(repo.ReadCommitMeta(commit));
    }

    [Fact]
    public void A_partial_mark_lives_as_long_as_the_commit_is_partial()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Archive);
        Checksum commit = Checksum.Compute([1]);
        foreach (bool partial in (bool[])[true, false])
        {
            using RepoTransaction transaction = repo.BeginTransaction();
            transaction.MarkPartial(commit, partial);
            Assert.Equal(!partial, File.Exists(scratch[$"repo/state/{commit}.commitpartial"]));
            transaction.Commit();
            Assert.Equal(partial, File.Exists(scratch[$"repo/state/{commit}.commitpartial"]));
            Assert.Equal(partial ? CommitState.Partial : CommitState.Whole, repo.StateOf(commit));
        }
    }

    [Fact]
    public void Min_free_space_refuses_content_and_gives_up_what_was_staged()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare, config: "min-free-space-size=100000TB\n");
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(Plain, 5000, new MemoryStream(Bytes(5000))));
            Assert.Contains("min-free-space-size 104857600000MB would be exceeded, at least 8192 bytes requested", e.Message);
            // On which disk, how full it is, and what to change.
            Assert.Matches($@"[0-9]+ MB of [0-9]+ MB are free on the file system of '{scratch["repo"]}', and core\.min-free-space-size keeps 104857600000 MB", e.Message);
            transaction.WriteDirTree(DirTree.Empty);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["repo/tmp"]));
        Assert.Empty(repo.ListObjects());
    }

    [Fact]
    public void What_another_user_staged_is_left_to_them()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare);
        string theirs = scratch.MakeDirectory($"repo/tmp/staging-{BootId.Current}-AAAAAA");
        // What root may not change stands for what others may not.
        Tool.Run("chattr", "+i", theirs).Ok();
        try
        {
            using RepoTransaction transaction = repo.BeginTransaction();
            Checksum checksum = transaction.WriteFile(Plain, 5, new MemoryStream(Bytes(5)));
            transaction.Commit();
            Assert.True(repo.HasObject(new ObjectName(checksum, ObjectType.File)));
            Assert.True(Directory.Exists(theirs));
        }
        finally
        {
            Tool.Run("chattr", "-i", theirs).Ok();
        }
    }

    [Fact]
    public void Who_asks_for_all_there_could_be_takes_nothing_from_others()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare, config: "min-free-space-size=1MB\n");
        SpaceReserve reserve = new(repo);
        for (int i = 0; i < 4; i++)
            Assert.Contains($"at least {long.MaxValue / 4096 * 4096} bytes requested", Assert.ThrowsAny<RepositoryException>(() => reserve.Take(long.MaxValue)).Message);
        Assert.Equal(8192, reserve.Take(5000));
    }

    [Fact]
    public void A_full_disk_leaves_the_repository_as_it_was()
    {
        using ScratchDirectory scratch = new();
        scratch.MakeDirectory("small");
        Tool.Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", scratch["small"]).Ok();
        try
        {
            Repo.Create(scratch["small/repo"], RepoMode.Bare).Dispose();
            File.AppendAllText(scratch["small/repo/config"], "min-free-space-percent=0\n");
            using (Repo repo = Repo.Open(scratch["small/repo"]))
            using (RepoTransaction transaction = repo.BeginTransaction())
            {
                transaction.WriteFile(Plain, 1 << 20, new MemoryStream(Bytes(1 << 20)));
                RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(Plain, 3 << 20, new MemoryStream(Bytes(3 << 20))));
                Assert.Equal(Errno.ENOSPC, Assert.IsType<LinuxException>(e.InnerException).Errno);
            }
            Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["small/repo/tmp"]));
            Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["small/repo/objects"]));
        }
        finally
        {
            Tool.Run("umount", scratch["small"]).Ok();
        }
    }

    [Fact]
    public void Bare_user_only_refuses_what_it_cannot_keep()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.BareUserOnly);
        using RepoTransaction transaction = repo.BeginTransaction();
        Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(FileHeader.Regular(0, 0, 0x9ED, XattrSet.Empty), 0, Stream.Null));
        Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(FileHeader.Regular(0, 0, 0x1B6, XattrSet.Empty), 0, Stream.Null));
    }

    [Fact]
    public void The_real_program_takes_over_what_we_staged_and_we_what_it_did()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, RepoMode.Bare);
        Checksum file;
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            file = transaction.WriteFile(Plain, 10, new MemoryStream(Bytes(10)));
            transaction.WriteCommit(new Commit { RootTree = Checksum.Compute([1]), RootMeta = Checksum.Compute([2]) });
        }
        scratch.MakeDirectory("tree");
        Ostree.Commit(scratch["repo"], scratch["tree"], "test");
        Ostree.Run(scratch["repo"], "fsck", "--quiet").Ok();
        Assert.Contains(repo.ListObjects(), name => name == new ObjectName(file, ObjectType.File));
        Assert.Single(repo.ListObjects(), name => name.Type == ObjectType.Commit);
    }

    [Theory]
    [InlineData(RepoMode.Bare, 0x1A4u, true)]
    [InlineData(RepoMode.Bare, 0x1EDu, false)]
    [InlineData(RepoMode.BareUserOnly, 0x1EDu, true)]
    [InlineData(RepoMode.BareUser, 0x1A4u, false)]
    [InlineData(RepoMode.Archive, 0x1A4u, false)]
    public void A_file_that_is_stored_as_it_is_can_become_the_object(RepoMode mode, uint permissions, bool adopted)
    {
        using ScratchDirectory scratch = new();
        using Repo repo = New(scratch, mode);
        byte[] content = Bytes(200_000);
        File.WriteAllBytes(scratch["file"], content);
        Tool.Run("chmod", "0644", scratch["file"]).Ok();
        Tool.Run("ln", scratch["file"], scratch["other"]).Ok();
        FileHeader header = FileHeader.Regular(0, 0, permissions, XattrSet.Empty);
        using (RepoTransaction transaction = repo.BeginTransaction())
        using (LinuxDirectory directory = LinuxDirectory.Open(scratch.Path))
        using (Microsoft.Win32.SafeHandles.SafeFileHandle file = directory.OpenFile("file"))
        {
            Assert.Equal(adopted, transaction.TryAdoptFile(header, file, directory, "file", out Checksum checksum));
            transaction.Commit();
            if (adopted)
                Assert.Equal(Expected(header, content), checksum);
        }
        Assert.Equal(adopted, !File.Exists(scratch["file"]));
        Assert.Equal(adopted ? 1 : 0, repo.ListObjects().Count(name => repo.VerifyObject(name)));
        Assert.Equal(2u, Files.TryStatus(scratch["other"])!.Value.LinkCount);
    }
}
