using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>
/// A <c>bare-split-xattrs</c> repository, as layers of images claim to hold one: files without xattrs, with these in objects beside them. The real program
/// makes an empty one and reads a full one, and writes none; so one is made here of a <c>bare</c> repository's files, and both programs read it.
/// </summary>
public sealed class SplitXattrsTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();
    private readonly Checksum commit;

    public SplitXattrsTests()
    {
        TreeBuilder.Build(scratch["tree"], 3, new TreeShape { EmptyXattrs = false, LargeFiles = false, RandomFiles = 20 });
        commit = Ostree.Commit(Ostree.Init(scratch["bare"], RepoMode.Bare), scratch["tree"], "test");
        Ostree.Init(scratch["split"], RepoMode.BareSplitXattrs);
        Tool.Shell("cp -a bare/objects bare/refs split/", scratch.Path).Ok();
        using Repo bare = Repo.Open(scratch["bare"]);
        using LinuxDirectory here = LinuxDirectory.Open("/");
        foreach (ObjectName name in bare.ListObjects().Where(static name => name.Type == ObjectType.File))
        {
            byte[] xattrs = bare.ReadFileHeader(name.Checksum, out _).Xattrs.Serialized.ToArray();
            string set = Placed(Checksum.Compute(xattrs), "file-xattrs"), file = Placed(name.Checksum, "file");
            File.WriteAllBytes(set, xattrs);
            Tool.Run("ln", set, file + "-xattrs-link").Ok();
            // The files themselves lose them.
            foreach (Xattr xattr in Xattrs.ReadAll(here, file))
                Xattrs.Remove(here, file, xattr.Name);
        }
    }

    public void Dispose() => scratch.Dispose();

    private string Placed(Checksum checksum, string ending)
    {
        string hex = checksum.ToString(), directory = scratch[$"split/objects/{hex[..2]}"];
        Directory.CreateDirectory(directory);
        return $"{directory}/{hex[2..]}.{ending}";
    }

    [Fact]
    public void Both_programs_read_it_alike()
    {
        Ostree.Run(scratch["split"], "fsck", "--quiet").Ok();
        using Repo split = Repo.Open(scratch["split"]);
        FsckResult result = split.Fsck(new FsckOptions { Report = Assert.Fail });
        Assert.Equal(1, result.Commits);
        using Repo bare = Repo.Open(scratch["bare"]);
        foreach (ObjectName name in bare.Traverse(commit).Where(static name => name.Type == ObjectType.File))
        {
            Assert.Equal(bare.ReadFileHeader(name.Checksum, out long size).Serialize(), split.ReadFileHeader(name.Checksum, out long other).Serialize());
            Assert.Equal(size, other);
        }
        Assert.Equal(Ostree.Listing(scratch["bare"], commit), Ostree.Listing(scratch["split"], commit));
    }

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.BareUser)]
    [InlineData(RepoMode.Archive)]
    public void What_is_pulled_from_it_is_what_was_in_it(RepoMode to)
    {
        using (Repo split = Repo.Open(scratch["split"]))
        using (Repo copy = Repo.Create(scratch["copy"], to))
        {
            copy.DisableFsync();
            LocalPull.Run(split, copy, new LocalPullOptions { Untrusted = true });
        }
        Ostree.Run(scratch["copy"], "fsck", "--quiet").Ok();
        Assert.Equal(Ostree.Listing(scratch["bare"], commit), Ostree.Listing(scratch["copy"], commit));
    }

    [Fact]
    public void A_checkout_has_the_xattrs()
    {
        using Repo split = Repo.Open(scratch["split"]);
        using LinuxDirectory here = LinuxDirectory.Open(scratch.Path);
        Checkout.Run(split, commit, here, "out", new CheckoutOptions());
        Ostree.Run(scratch["bare"], "checkout", "test", scratch["expected"]).Ok();
        TreeSnapshot.AssertEqual(scratch["expected"], scratch["out"]);
    }

    [Fact]
    public void Lost_xattrs_are_damage_and_nothing_is_written()
    {
        using Repo split = Repo.Open(scratch["split"]);
        ObjectName name = split.Traverse(commit).First(name => name.Type == ObjectType.File && split.ReadFileHeader(name.Checksum, out _).Xattrs.Count > 0);
        File.Delete(Placed(name.Checksum, "file-xattrs-link"));
        using Repo fresh = Repo.Open(scratch["split"]);
        Assert.Equal([name], fresh.Fsck(new FsckOptions { KeepGoing = true }).Corrupted);
        Assert.ThrowsAny<RepositoryException>(() => fresh.OpenFile(name.Checksum).Dispose());
        using RepoTransaction transaction = fresh.BeginTransaction();
        Assert.ThrowsAny<RepositoryException>(() => transaction.WriteFile(new FileHeader(0, 0, 0x81A4, "", XattrSet.Empty), 1, new MemoryStream([1])));
    }
}
