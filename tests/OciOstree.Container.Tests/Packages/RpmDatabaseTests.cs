using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>rpm's databases in all their forms, beside what rpm itself says of them.</summary>
public sealed class RpmDatabaseTests(RpmFixture rpm) : IClassFixture<RpmFixture>
{
    [Fact]
    public void Packages_are_those_that_rpm_lists()
    {
        using RootTree tree = RootTree.FromDirectory(rpm.Root);
        string[] expected = Sorted(rpm.Rpm("-qa --qf '%{NAME} %{EVR} (%{ARCH})\\n'"));
        Assert.Equal(41, expected.Length);
        Assert.Equal(expected, PackageDatabases.Read(tree).Select(package => package.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Files_are_those_that_rpm_lists()
    {
        using RootTree tree = RootTree.FromDirectory(rpm.Root);
        string[] files = [.. PackageDatabases.ReadRpmHeaders(tree, PackageDatabases.FindRpm(tree)!).SelectMany(header => header.Files()).Order(StringComparer.Ordinal)];
        Assert.Equal(Sorted(rpm.Rpm("-qal")), files);
    }

    [Theory]
    [InlineData("Packages.db", "")]
    [InlineData("Packages", "1234")]
    [InlineData("Packages", "4321")]
    public void Other_forms_give_the_same(string name, string byteOrder)
    {
        using RootTree tree = RootTree.FromDirectory(rpm.Root);
        using var scratch = new ScratchDirectory();
        File.WriteAllBytes(Path.Combine(scratch.MakeDirectory("usr/share/rpm"), name), name == "Packages" ? rpm.Berkeley(byteOrder) : rpm.Ndb());
        using RootTree other = RootTree.FromDirectory(scratch.Path);
        Assert.Equal(PackageDatabases.Read(tree), PackageDatabases.Read(other));
    }

    [Fact]
    public void What_the_log_has_committed_counts()
    {
        using var scratch = new ScratchDirectory();
        string directory = scratch.MakeDirectory("usr/lib/sysimage/rpm");
        File.Copy(rpm.Database, Path.Combine(directory, "rpmdb.sqlite"));

        // A copy of database and log from within a session is what an image gets of a program that was killed.
        Tool.Shell($"sqlite3 rpmdb.sqlite 'PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; DELETE FROM Packages WHERE hnum > 30; BEGIN; DELETE FROM Packages;' '.shell mkdir copy; cp rpmdb.sqlite rpmdb.sqlite-wal copy/'", directory).Ok();
        string copy = scratch.MakeDirectory("copy/usr/lib/sysimage");
        Directory.Move(Path.Combine(directory, "copy"), Path.Combine(copy, "rpm"));
        using RootTree with = RootTree.FromDirectory(scratch["copy"]);
        Assert.Equal(30, PackageDatabases.Read(with).Count);
        File.Delete(Path.Combine(copy, "rpm/rpmdb.sqlite-wal"));
        using RootTree without = RootTree.FromDirectory(scratch["copy"]);
        Assert.Equal(41, PackageDatabases.Read(without).Count);
    }

    [Fact]
    public void Damage_is_told_and_nothing_else_is_thrown()
    {
        var random = new Random(1);
        byte[] sqlite = File.ReadAllBytes(rpm.Database), ndb = rpm.Ndb(), berkeley = rpm.Berkeley(), header = rpm.Blobs()[5];
        (byte[] Bytes, Action<byte[]> Read)[] formats =
        [
            (sqlite, bytes => Count(RpmDatabase.ReadSqlite(new MemoryStream(bytes), null))),
            (sqlite[..4096], bytes => Count(RpmDatabase.ReadSqlite(new MemoryStream(bytes), null))),
            (ndb, bytes => Count(RpmDatabase.ReadNdb(new MemoryStream(bytes)))),
            (berkeley, bytes => Count(RpmDatabase.ReadBerkeley(new MemoryStream(bytes)))),
            (header, bytes => Count([RpmHeader.Parse(bytes)])),
        ];
        foreach ((byte[] bytes, Action<byte[]> read) in formats)
        {
            for (int round = 0; round < 200; round++)
            {
                byte[] damaged = round % 4 == 0 ? bytes[..random.Next(bytes.Length)] : [.. bytes];
                for (int i = 0; i < 1 + (round % 16); i++)
                {
                    // Most of what leads elsewhere stands at the beginning.
                    damaged.AsSpan(random.Next(Math.Min(damaged.Length, round % 2 == 0 ? 8192 : int.MaxValue)) is var at && at < damaged.Length ? at : 0).Slice(0, Math.Min(1, damaged.Length)).Fill((byte)random.Next(256));
                }

                try
                {
                    read(damaged);
                }
                catch (PackageDatabaseException)
                {
                    // What it is allowed to throw.
                }
            }
        }

        static void Count(IEnumerable<RpmHeader> headers)
        {
            foreach (RpmHeader header in headers)
            {
                _ = header.ToPackage();
                _ = header.Files().Count();
            }
        }
    }

    [Fact]
    public void Nothing_is_allocated_for_what_a_length_claims()
    {
        byte[] header = [0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, .. new byte[16]];
        Assert.Throws<PackageDatabaseException>(() => RpmHeader.Parse(header));
        byte[] many = [0, 0, 0xff, 0xff, 0, 0, 0, 0];
        Assert.Throws<PackageDatabaseException>(() => RpmHeader.Parse(many));
        Assert.Throws<PackageDatabaseException>(() => new SqliteFile(new MemoryStream(new byte[200])));
        Assert.Throws<PackageDatabaseException>(() => RpmDatabase.ReadNdb(new MemoryStream(new byte[64])).ToList());
        Assert.Throws<PackageDatabaseException>(() => RpmDatabase.ReadBerkeley(new MemoryStream(new byte[64])).ToList());
        Assert.Throws<PackageDatabaseException>(() => RpmDatabase.ReadBerkeley(new MemoryStream()).ToList());
    }

    [Fact]
    public void A_tree_of_rpms_is_chunked_by_package()
    {
        using var repo = new TestRepo();
        Checksum commit;
        using (RepoTransaction transaction = repo.Repo.BeginTransaction())
        {
            using var directory = OciOstree.Linux.LinuxDirectory.Open(rpm.Root);
            commit = CommitDraftOf(transaction, directory);
            transaction.Commit();
        }

        ContentMeta meta = ContentMeta.FromTree(CommitContent.Read(repo.Repo, commit));
        Assert.Equal(["alpha", "many0", "many1"], meta.Components.Select(component => component.Name).Take(3));
        Assert.Equal(42, meta.Components.Count);
        Assert.Contains("package-database", meta.Components.Select(component => component.Name));
        Assert.Equal("amd64", meta.Architecture);
    }

    private static Checksum CommitDraftOf(RepoTransaction transaction, OciOstree.Linux.LinuxDirectory directory)
    {
        var root = new MutableTree();
        new TreeWriter(transaction, root).AddDirectory(directory);
        return transaction.WriteCommit(new Commit { RootTree = root.Write(transaction), RootMeta = root.Metadata!.Value });
    }

    private static string[] Sorted(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
}
