using System.Security.Cryptography;
using OciOstree.Formats.GVariant;
using OciOstree.Formats.Verity;
using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>Images are those that the real ostree makes of the same commits. <c>images.tsv</c> has their digests; <c>make-goldens</c>, beside it, asks the real program for them.</summary>
public sealed class ComposefsTests
{
    [Fact]
    public void Images_of_generated_trees_are_the_real_ones()
    {
        // number, SHA-256 of the image, its fs-verity digest, SHA-256 of the image without digests of files
        string[][] known = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Composefs", "images.tsv")).Select(static line => line.Split('\t'))];
        Assert.NotEmpty(known);
        using var scratch = new ScratchDirectory();
        // make-goldens wants the repository for itself.
        string place = Environment.GetEnvironmentVariable("COMPOSEFS_TREES") ?? scratch["repo"];
        using Repo repo = Repo.Create(place, RepoMode.Archive);
        repo.DisableFsync();
        Checksum[] commits = new Checksum[known.Length];
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            Workers.Each([.. Enumerable.Range(0, commits.Length)], CancellationToken.None, number => commits[number] = GeneratedTree.Commit(transaction, number));
            transaction.Commit();
        }
        using LinuxDirectory directory = LinuxDirectory.Open(scratch.Path);
        List<string> actual = [];
        for (int number = 0; number < commits.Length; number++)
        {
            Checksum verity = Composefs.Write(repo, commits[number], directory, "image");
            Composefs.Write(repo, commits[number], directory, "plain", ComposefsVerity.None);
            actual.Add($"{number}\t{Sha256("image")}\t{verity}\t{Sha256("plain")}");
        }
        Assert.Equal(known.Select(static fields => string.Join('\t', fields)), actual);

        string Sha256(string name) => Convert.ToHexStringLower(SHA256.HashData(directory.ReadAllBytes(name, 1 << 30)));
    }

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.BareUser)]
    [InlineData(RepoMode.Archive)]
    public void A_repository_s_mode_makes_no_difference(RepoMode mode)
    {
        using var scratch = new ScratchDirectory();
        string tree = RandomTree.Build(scratch["tree"], 7);
        using Repo repo = Repo.Create(scratch["repo"], mode), archive = Repo.Create(scratch["archive"], RepoMode.Archive);
        using LinuxDirectory directory = LinuxDirectory.Open(scratch.Path);
        Checksum commit = OurCommit.Directory(repo, tree);
        Assert.Equal(commit, OurCommit.Directory(archive, tree));
        Assert.Equal(Composefs.Write(archive, commit, directory, "expected"), Composefs.Write(repo, commit, directory, "image"));
        Assert.Equal(directory.ReadAllBytes("expected", 1 << 30), directory.ReadAllBytes("image", 1 << 30));
        Assert.Equal(0x1A4u, directory.Status("image").Permissions);
    }

    [Fact]
    public void A_commit_that_names_its_image_gets_that_one_or_none()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/usr/file", "content");
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        using LinuxDirectory directory = LinuxDirectory.Open(scratch.Path);
        Checksum plain = OurCommit.Directory(repo, scratch["tree"]);
        Commit commit = repo.ReadCommit(plain);
        Checksum digest = Composefs.ComputeDigest(repo, commit.RootTree, commit.RootMeta);
        Assert.Null(Composefs.ReadDigest(commit));

        Checksum good = Name(digest.ToArray()), bad = Name(new byte[32]), odd = Name(new byte[31]);
        Assert.Equal(digest, Composefs.ReadDigest(repo.ReadCommit(good)));
        Assert.Equal(digest, Composefs.Write(repo, good, directory, "good"));
        Assert.Equal(digest, Checksum.FromBytes(VerityDigest.Compute(directory.ReadAllBytes("good", 1 << 30))));
        Assert.Equal($"Generated composefs image digest ({digest}) doesn't match expected digest ({new string('0', 64)})",
            Assert.Throws<RepositoryException>(() => Composefs.Write(repo, bad, directory, "bad")).Message);
        Assert.Equal("Expected composefs fs-verity in metadata has the wrong size", Assert.Throws<RepositoryException>(() => Composefs.Write(repo, odd, directory, "bad")).Message);
        Assert.False(directory.Exists("bad"));
        // Without all digests an image cannot be the one that was meant, and is not held against it.
        Composefs.Write(repo, bad, directory, "bad", ComposefsVerity.None);
        Composefs.Write(repo, bad, directory, "good", ComposefsVerity.Protected);
        Assert.Equal(directory.ReadAllBytes("bad", 1 << 30), directory.ReadAllBytes("good", 1 << 30));

        Checksum Name(byte[] bytes)
        {
            using RepoTransaction transaction = repo.BeginTransaction();
            Checksum named = transaction.WriteCommit(commit with { Metadata = Variant.Dictionary([new(Composefs.DigestKey, Variant.Bytes(bytes))]) });
            transaction.Commit();
            return named;
        }
    }

    [Fact]
    public void A_tree_deeper_than_a_stack_has_an_image()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        repo.DisableFsync();
        Checksum tree, meta;
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ED, XattrSet.Empty));
            tree = transaction.WriteDirTree(DirTree.Empty);
            for (int i = 0; i < 5000; i++)
                tree = transaction.WriteDirTree(DirTree.From([], [new DirTreeDirectory("d", tree, meta)]));
            transaction.Commit();
        }
        Checksum digest = default;
        // A thread of the least size: the main one's is eight megabytes.
        Thread thread = new(() => digest = Composefs.ComputeDigest(repo, tree, meta), 256 << 10);
        thread.Start();
        thread.Join();
        Assert.NotEqual(default, digest);
    }

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.Archive)]
    public void A_damaged_file_gets_no_digest(RepoMode mode)
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/file", "content");
        using Repo repo = Repo.Create(scratch["repo"], mode);
        using LinuxDirectory directory = LinuxDirectory.Open(scratch.Path);
        Checksum commit = OurCommit.Directory(repo, scratch["tree"]);
        string stored = Directory.GetFiles(scratch["repo/objects"], "*.file*", SearchOption.AllDirectories).Single();
        byte[] bytes = File.ReadAllBytes(stored);
        bytes[^2] ^= 1;
        File.WriteAllBytes(stored, bytes);
        Assert.Throws<CorruptedObjectException>(() => Composefs.Write(repo, commit, directory, "image"));
        Assert.False(directory.Exists("image"));
    }
}
