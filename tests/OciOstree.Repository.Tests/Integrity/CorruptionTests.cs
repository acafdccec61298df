namespace OciOstree.Repository.Tests;

/// <summary>A damaged object of each type, in each mode, is found by fsck, named, and never served.</summary>
public class CorruptionTests
{
    public static TheoryData<RepoMode, string, string> Damages
    {
        get
        {
            TheoryData<RepoMode, string, string> data = [];
            foreach (RepoMode mode in (RepoMode[])[RepoMode.Bare, RepoMode.BareUser, RepoMode.BareUserOnly, RepoMode.Archive])
                foreach (string type in (string[])["file", "dirtree", "dirmeta", "commit"])
                    foreach (string damage in (string[])["flip", "header", "truncate", "append", "empty", "remove"])
                        if (mode != RepoMode.Archive || type != "file" || damage != "append") // bytes after the compressed data's end are no part of it
                            data.Add(mode, type, damage);
            data.Add(RepoMode.Bare, "file", "chmod");
            data.Add(RepoMode.Bare, "file", "chown");
            data.Add(RepoMode.Bare, "file", "xattr");
            data.Add(RepoMode.BareUser, "file", "meta");
            data.Add(RepoMode.BareUser, "file", "nometa");
            data.Add(RepoMode.BareUserOnly, "file", "chmod");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void Damage_is_found_and_not_served(RepoMode mode, string type, string damage)
    {
        using ScratchDirectory scratch = new();
        scratch.Write("tree/dir/file", new string('x', 5000) + string.Concat(Enumerable.Range(0, 500)));
        Checksum commit = Ostree.Commit(Ostree.Init(scratch["repo"], mode), scratch["tree"], "test");
        using Repo repo = Repo.Open(scratch["repo"]);
        ObjectName victim = repo.Traverse(commit).First(name => name.Type.Word() == type);
        string path = scratch[$"repo/objects/{victim.Checksum.ToString()[..2]}/{victim.Checksum.ToString()[2..]}.{(type == "file" && mode == RepoMode.Archive ? "filez" : type)}"];
        Damage(path, damage);

        // fsck reads everything afresh, as another process would.
        using Repo fresh = Repo.Open(scratch["repo"]);
        List<string> said = [];
        bool missing = damage == "remove";
        if (type == "commit")
        {
            Assert.True(fresh.Fsck(new FsckOptions { KeepGoing = true, Report = said.Add }).FoundCorruption);
            Assert.Contains(victim.Checksum.ToString(), string.Join('\n', said));
            Assert.Contains(said, line => line.StartsWith("Loading commit for ref", StringComparison.Ordinal));
            Exception e = Assert.ThrowsAny<RepositoryException>(() => fresh.Fsck(new FsckOptions { Report = said.Add }));
            Assert.Contains(missing ? "Loading commit for ref" : victim.Checksum.ToString(), e.Message);
        }
        else
        {
            FsckResult result = fresh.Fsck(new FsckOptions { KeepGoing = true, Report = said.Add });
            Assert.True(result.FoundCorruption);
            Assert.Equal(missing ? [victim] : [], result.Missing);
            Assert.Equal(missing ? [] : [victim], result.Corrupted);
            Assert.Contains(said, line => line.Contains(victim.Checksum.ToString()) && line.Contains($"n commits {commit}"));
            if (!missing)
                Assert.ThrowsAny<RepositoryException>(() => fresh.Fsck(new FsckOptions()));
        }
        AssertNotServed(fresh, victim);
        // Neither as an archive nor as a tree, unless that has links or (on btrfs, xfs) clones of the object itself.
        using (Linux.LinuxDirectory here = Linux.LinuxDirectory.Open(scratch.Path))
        {
            if (mode == RepoMode.Archive || type != "file" || missing || !SharesBlocks(scratch))
            {
                Assert.ThrowsAny<RepositoryException>(() => Checkout.Run(fresh, commit, here, "out", new CheckoutOptions { ForceCopy = true }));
                Assert.False(File.Exists(scratch["out/dir/file"]));
            }
        }
        Assert.ThrowsAny<RepositoryException>(() => TarExport.Run(fresh, commit, Stream.Null));

        // And it spreads nowhere: neither as a link nor converted, unless a conversion finds the content undamaged.
        foreach (RepoMode to in (RepoMode[])[mode, mode == RepoMode.Archive ? RepoMode.Bare : RepoMode.Archive])
        {
            using Repo copy = TransactionTests.New(scratch, to, "copy-" + to);
            if ((mode, type, damage, to) == (RepoMode.Archive, "file", "truncate", RepoMode.Bare))
            {
                LocalPull.Run(fresh, copy, new LocalPullOptions { Untrusted = true });
                Assert.False(copy.Fsck(new FsckOptions()).FoundCorruption);
                continue;
            }
            Assert.ThrowsAny<RepositoryException>(() => LocalPull.Run(fresh, copy, new LocalPullOptions { Untrusted = true }));
            Assert.Empty(copy.ListObjects());
            Assert.Empty(copy.ListRefs());
        }
    }

    private static bool SharesBlocks(ScratchDirectory scratch) => Tool.Shell("echo x > cloned; cp --reflink=always cloned clone", scratch.Path).ExitCode == 0;

    /// <summary>A source that is declared trusted is not refused for it: what is damaged is told of where it is looked at, stays damaged, and is found.</summary>
    [Theory]
    [InlineData(RepoMode.BareUser, RepoMode.Archive)]
    [InlineData(RepoMode.Archive, RepoMode.BareUser)]
    [InlineData(RepoMode.Bare, RepoMode.BareUser)]
    public void A_trusted_source_is_carried_over_with_a_warning(RepoMode from, RepoMode to)
    {
        using ScratchDirectory scratch = new();
        scratch.Write("tree/file", new string('x', 5000));
        Checksum commit = Ostree.Commit(Ostree.Init(scratch["repo"], from), scratch["tree"], "test");
        using Repo repo = Repo.Open(scratch["repo"]);
        ObjectName victim = repo.Traverse(commit).First(name => name.Type == ObjectType.File);
        string path = scratch[$"repo/objects/{victim.Checksum.ToString()[..2]}/{victim.Checksum.ToString()[2..]}.{(from == RepoMode.Archive ? "filez" : "file")}"];
        if (from == RepoMode.Archive)
        {
            // The same header with other content.
            byte[] bytes = File.ReadAllBytes(path);
            int header = 8 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes);
            using FileStream file = File.Create(path);
            file.Write(bytes.AsSpan(0, header));
            using System.IO.Compression.DeflateStream deflate = new(file, System.IO.Compression.CompressionLevel.Fastest);
            deflate.Write(System.Text.Encoding.ASCII.GetBytes(new string('y', 5000)));
        }
        else
        {
            Damage(path, "flip");
        }
        using Repo fresh = Repo.Open(scratch["repo"]);
        using Repo refusing = TransactionTests.New(scratch, to, "refusing"), carrying = TransactionTests.New(scratch, to, "carrying");
        List<string> said = [];
        // Nobody to tell: it is refused. Not trusted: it is, too.
        Assert.Throws<CorruptedObjectException>(() => LocalPull.Run(fresh, refusing, new LocalPullOptions()));
        Assert.Throws<CorruptedObjectException>(() => LocalPull.Run(fresh, refusing, new LocalPullOptions { Untrusted = true, Damaged = e => said.Add(e.Message) }));
        Assert.Empty(refusing.ListObjects());
        Assert.Empty(said);
        LocalPull.Run(fresh, carrying, new LocalPullOptions { Damaged = e => said.Add(e.Message) });
        Assert.Contains(victim.Checksum.ToString(), Assert.Single(said));
        Assert.Equal([victim], carrying.Fsck(new FsckOptions { KeepGoing = true }).Corrupted);
        AssertNotServed(carrying, victim);
    }

    private static void AssertNotServed(Repo repo, ObjectName victim)
    {
        if (victim.Type != ObjectType.File)
        {
            Assert.ThrowsAny<RepositoryException>(() => repo.ReadMetadata(victim));
            return;
        }
        Assert.ThrowsAny<RepositoryException>(() =>
        {
            using RepoFile file = repo.OpenFile(victim.Checksum);
            file.Content.CopyTo(Stream.Null);
        });
    }

    private static void Damage(string path, string damage)
    {
        byte[] bytes = File.ReadAllBytes(path);
        switch (damage)
        {
            case "flip":
                bytes[^3] ^= 1;
                File.WriteAllBytes(path, bytes);
                break;
            case "header":
                bytes[9] ^= 1;
                File.WriteAllBytes(path, bytes);
                break;
            case "truncate":
                File.WriteAllBytes(path, bytes[..^1]);
                break;
            case "append":
                File.WriteAllBytes(path, [.. bytes, 0]);
                break;
            case "empty":
                File.WriteAllBytes(path, []);
                break;
            case "remove":
                File.Delete(path);
                break;
            case "chmod":
                Tool.Run("chmod", "0700", path).Ok();
                break;
            case "chown":
                Tool.Run("chown", "77", path).Ok();
                break;
            case "xattr":
                Tool.Run("setfattr", "-n", "user.added", "-v", "1", path).Ok();
                break;
            case "meta":
                Tool.Run("setfattr", "-n", "user.ostreemeta", "-v", "0x000000000000000000008180", path).Ok();
                break;
            case "nometa":
                Tool.Run("setfattr", "-x", "user.ostreemeta", path).Ok();
                break;
        }
    }

    [Fact]
    public void An_archived_file_that_lies_about_its_size_is_found()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        using RepoTransaction transaction = repo.BeginTransaction();
        Checksum checksum = transaction.WriteFile(FileHeader.Regular(0, 0, 0x1A4, XattrSet.Empty), 3, new MemoryStream([1, 2, 3]));
        transaction.Commit();
        string path = scratch[$"repo/objects/{checksum.ToString()[..2]}/{checksum.ToString()[2..]}.filez"];
        // A header that claims another size is found even though the size is no part of the checksum.
        byte[] bytes = File.ReadAllBytes(path);
        bytes[15]++;
        File.WriteAllBytes(path, bytes);
        Assert.ThrowsAny<RepositoryException>(() => repo.VerifyObject(new ObjectName(checksum, ObjectType.File)));
        // And one that claims to be longer than the file allocates nothing of the kind.
        bytes[0] = 0x7F;
        File.WriteAllBytes(path, bytes);
        Assert.ThrowsAny<RepositoryException>(() => repo.VerifyObject(new ObjectName(checksum, ObjectType.File)));
    }

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.Archive)]
    public void Deleting_what_is_damaged_marks_its_commits_and_a_new_pull_heals_them(RepoMode mode)
    {
        using ScratchDirectory scratch = new();
        TreeBuilder.Build(scratch["tree"], shape: new TreeShape { EmptyXattrs = false, LargeFiles = false });
        Checksum commit = Ostree.Commit(Ostree.Init(scratch["source"], mode), scratch["tree"], "test");
        Ostree.Init(scratch["repo"], mode);
        Tool.Run("cp", "-a", "--", scratch["source/objects"], scratch["source/refs"], scratch["repo"]).Ok();
        using Repo source = Repo.Open(scratch["source"]), repo = Repo.Open(scratch["repo"]);
        ObjectName victim = repo.Traverse(commit).First(name => name.Type == ObjectType.File && !repo.ReadFileHeader(name.Checksum, out _).IsSymlink);
        string path = Directory.EnumerateFiles(scratch[$"repo/objects/{victim.Checksum.ToString()[..2]}"], $"{victim.Checksum.ToString()[2..]}*").Single();
        File.AppendAllText(path, "x");
        if (mode == RepoMode.Archive)
            File.WriteAllText(path, "y");
        FsckResult result = repo.Fsck(new FsckOptions { Delete = true });
        Assert.Equal([victim], result.Corrupted);
        Assert.False(File.Exists(path));
        Assert.Equal(CommitState.PartialByFsck, repo.StateOf(commit));
        Assert.Contains("1 partial commits from fsck-detected corruption", Ostree.Run(scratch["repo"], "fsck").Failed().Error);
        Assert.Equal([commit], repo.Fsck(new FsckOptions()).CommitsBrokenByFsck);
        LocalPull.Run(source, repo, new LocalPullOptions());
        Assert.Equal(CommitState.Whole, repo.StateOf(commit));
        Ostree.Run(scratch["repo"], "fsck", "--quiet").Ok();
    }
}
