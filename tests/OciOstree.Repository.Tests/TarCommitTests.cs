namespace OciOstree.Repository.Tests;

/// <summary>The same archive and options give the same commit as the real ostree.</summary>
public class TarCommitTests
{
    // One xattr a file: the older ostree that tests run against keeps several in the order that libarchive gives them, newer ones sort them.
    private static string BuildTree(ScratchDirectory scratch, int seed)
    {
        string tree = Testing.TreeBuilder.Build(scratch["tree"], seed, new TreeShape { Xattrs = false });
        // libarchive composes names from PAX headers (e and an accent become é); we keep them as they are.
        Tool.Shell("rm -r names/*combining names/directories/*combining; setfattr -n user.one -v b names/plain; setfattr -n user.dir -v x wide", tree).Ok();
        return tree;
    }

    [Theory]
    [InlineData("--format=pax --xattrs --xattrs-include=*", RepoMode.Archive)]
    [InlineData("--format=gnu", RepoMode.Bare)]
    [InlineData("--format=gnu", RepoMode.BareUser)]
    [InlineData("--format=gnu", RepoMode.BareUserOnly)]
    [InlineData("--format=pax --gzip", RepoMode.Archive)]
    [InlineData("--format=pax --zstd", RepoMode.Archive)]
    [InlineData("--format=gnu --sparse", RepoMode.Archive)]
    [InlineData("--format=gnu --hard-dereference", RepoMode.Archive)]
    public void An_archive_gets_the_checksum_that_ostree_gives_it(string options, RepoMode mode)
    {
        using var scratch = new ScratchDirectory();
        string tree = BuildTree(scratch, 31);
        Tool.Run("tar", [.. options.Split(' '), "-C", tree, "-cf", scratch["tree.tar"], "."]).Ok();
        AssertSame(scratch, mode, "", null, null);
    }

    [Theory]
    [InlineData("--owner-uid=7 --owner-gid=8")]
    [InlineData("--canonical-permissions")]
    [InlineData("--no-xattrs")]
    [InlineData("--mode-ro-executables")]
    public void Modifiers_apply_to_archives(string options)
    {
        using var scratch = new ScratchDirectory();
        string tree = BuildTree(scratch, 32);
        Tool.Run("tar", "--xattrs", "--xattrs-include=*", "-C", tree, "-cf", scratch["tree.tar"], ".").Ok();
        var modifier = new CommitModifier
        {
            OwnerUid = options.Contains("uid", StringComparison.Ordinal) ? 7 : null,
            OwnerGid = options.Contains("gid", StringComparison.Ordinal) ? 8 : null,
            CanonicalPermissions = options == "--canonical-permissions",
            SkipXattrs = options == "--no-xattrs",
            ReadOnlyExecutables = options == "--mode-ro-executables",
        };
        AssertSame(scratch, RepoMode.Archive, options, null, modifier);
    }

    [Fact]
    public void Missing_parents_are_made_as_ostree_makes_them()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/a/b/file", "x");
        scratch.Write("tree/a/c/other", "y");
        scratch.Write("tree/d/e/f", "z");
        Tool.Shell("chown -R 5:6 a; chown 7:8 a/b/file; chown 9:10 a/c/other; chmod 0700 a d", scratch["tree"]).Ok();
        Tool.Run("tar", "-C", scratch["tree"], "--no-recursion", "-cf", scratch["tree.tar"], "a/b/file", "a", "a/c/other", "d", "d/e/f").Ok();
        AssertSame(scratch, RepoMode.Archive, "--tar-autocreate-parents", new TarCommitOptions { AutocreateParents = true }, null);
    }

    [Fact]
    public void An_empty_archive_is_an_empty_tree_if_parents_are_made()
    {
        using var scratch = new ScratchDirectory();
        Tool.Run("tar", "-cf", scratch["tree.tar"], "-T", "/dev/null").Ok();
        AssertSame(scratch, RepoMode.Archive, "--tar-autocreate-parents --owner-uid=3", new TarCommitOptions { AutocreateParents = true }, new CommitModifier { OwnerUid = 3 });
        using Repo repo = Repo.Open(scratch["ours"]);
        Assert.Equal("Can't commit an empty tree", Assert.ThrowsAny<RepositoryException>(() => OurCommit.Tar(repo, scratch["tree.tar"])).Message);
    }

    [Theory]
    [InlineData("^,foo/")]
    [InlineData("/bin/,/sbin/")]
    [InlineData(@"^usr/(b)in,u/\1\0")]
    [InlineData(@"^(?<first>[a-z]+)/,\g<first>x/")]
    public void Paths_are_translated_by_a_regular_expression(string filter)
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/usr/bin/tool", "x");
        scratch.Write("tree/usr/lib/library", "y");
        Tool.Shell("ln usr/bin/tool usr/lib/linked; ln -s tool usr/bin/link", scratch["tree"]).Ok();
        Tool.Run("tar", "-C", scratch["tree"], "-cf", scratch["tree.tar"], ".").Ok();
        AssertSame(scratch, RepoMode.Archive, "--tar-autocreate-parents --tar-pathname-filter=" + filter,
            new TarCommitOptions { AutocreateParents = true, TranslatePath = TarCommitOptions.ParsePathFilter(filter) }, null);
    }

    [Fact]
    public void Later_entries_replace_earlier_ones_and_links_may_come_first()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/a", "first");
        scratch.Write("tree/big", new string('b', 600_000));
        Tool.Shell("ln a b; tar -cf ../tree.tar . ; echo second >a; tar --append -f ../tree.tar ./a ./big ./b; tar --append -f ../tree.tar --transform 's,^./a$,./c,' ./a", scratch["tree"]).Ok();
        AssertSame(scratch, RepoMode.Archive, "", null, null);
    }

    [Fact]
    public void Archives_are_laid_over_each_other()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("one/dir/kept", "1");
        scratch.Write("one/dir/replaced", "1");
        scratch.Write("two/dir/replaced", "2");
        Tool.Shell("for t in one two; do tar -C $t -cf $t.tar .; done", scratch.Path).Ok();
        RealOstree.Init(scratch["theirs"], RepoMode.Archive);
        Checksum expected = RealOstree.Commit(scratch["theirs"], "--tree=tar=" + scratch["one.tar"], "--tree=tar=" + scratch["two.tar"]);
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        Assert.Equal(expected, OurCommit.Run(repo, null, writer =>
        {
            foreach (string name in (string[])["one.tar", "two.tar"])
            {
                using FileStream archive = File.OpenRead(scratch[name]);
                writer.AddTar(archive);
            }
        }));
    }

    [Theory]
    [InlineData("file", "usr/../../out", "Invalid uplink '..' in path usr/../../out")]
    [InlineData("file", "..", "Invalid uplink '..' in path ..")]
    [InlineData("file", "none/file", "No such file or directory: none")]
    [InlineData("fifo", "pipe", "Unsupported file type for path \"pipe\"")]
    [InlineData("link", "dangling", "Processing hardlink to nothing")]
    public void What_an_archive_must_not_hold_is_refused_and_nothing_changes(string kind, string name, string message)
    {
        using var scratch = new ScratchDirectory();
        string script = $"""
            import tarfile, io
            t = tarfile.open('tree.tar', 'w', format=tarfile.PAX_FORMAT)
            d = tarfile.TarInfo('./'); d.type = tarfile.DIRTYPE; d.mode = 0o755; t.addfile(d)
            i = tarfile.TarInfo('{name}')
            if '{kind}' == 'fifo': i.type = tarfile.FIFOTYPE
            if '{kind}' == 'link': i.type = tarfile.LNKTYPE; i.linkname = 'nothing'
            t.addfile(i)
            t.close()
            """;
        Tool.Run(new ToolStart("python3") { Directory = scratch.Path }, "-c", script).Ok();
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => OurCommit.Tar(repo, scratch["tree.tar"]));
        Assert.Equal(message, e.Message);
        Assert.Empty(repo.ListRefs(null));
        Assert.Empty(repo.ListObjects());
    }

    [Fact]
    public void A_truncated_archive_is_refused()
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 33, new TreeShape { RandomFiles = 5, LargeFiles = false });
        Tool.Run("tar", "-C", tree, "-czf", scratch["tree.tar"], ".").Ok();
        byte[] bytes = File.ReadAllBytes(scratch["tree.tar"]);
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        foreach (int length in (int[])[bytes.Length - 1, bytes.Length / 2, 600, 20])
        {
            File.WriteAllBytes(scratch["cut.tar"], bytes[..length]);
            Assert.ThrowsAny<RepositoryException>(() => OurCommit.Tar(repo, scratch["cut.tar"]));
        }
        Assert.Empty(repo.ListRefs(null));
    }

    private static void AssertSame(ScratchDirectory scratch, RepoMode mode, string flags, TarCommitOptions? options, CommitModifier? modifier)
    {
        RealOstree.Init(scratch["theirs"], mode);
        Checksum expected = RealOstree.Commit(scratch["theirs"], [.. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--tree=tar=" + scratch["tree.tar"]]);
        using Repo repo = Repo.Create(scratch["ours"], mode);
        RealOstree.AssertSameCommit(scratch["theirs"], expected, scratch["ours"], OurCommit.Tar(repo, scratch["tree.tar"], options, modifier));
        RealOstree.Fsck(scratch["ours"]);
    }
}
