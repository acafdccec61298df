using OciOstree.Formats.GVariant;

namespace OciOstree.Repository.Tests;

/// <summary>Static deltas between us and the real program, both ways.</summary>
public sealed class DeltaTests(DeltaFixture fixture) : IClassFixture<DeltaFixture>, IDisposable
{
    private readonly ScratchDirectory scratch = new("delta");

    public void Dispose() => scratch.Dispose();

    private string Generate(DeltaGenerateOptions options, DeltaName? name = null, string repo = "server")
    {
        if (!Directory.Exists(scratch[repo]))
            fixture.Copy(scratch, repo);
        using Repo opened = Repo.Open(scratch[repo]);
        DeltaGenerator.Run(opened, name ?? fixture.Name, options);
        return options.FileName ?? Path.Combine(scratch[repo], (name ?? fixture.Name).Directory);
    }

    private string GenerateReal(params string[] options)
    {
        string server = fixture.Copy(scratch, "real");
        Ostree.Run(server, "static-delta", ["generate", $"--from={fixture.From}", $"--to={fixture.To}", .. options]).Ok();
        return Path.Combine(server, fixture.Name.Directory);
    }

    private void AssertArrived(string repo)
    {
        Ostree.Run(repo, "fsck", "--quiet").Ok();
        Assert.Equal(Ostree.Listing(fixture.Source, fixture.To), Ostree.Listing(repo, fixture.To));
    }

    public static TheoryData<DeltaGenerateOptions> Ways => new()
    {
        new DeltaGenerateOptions { MinFallbackSize = 0 },
        new DeltaGenerateOptions { MinFallbackSize = 0, Inline = true },
        new DeltaGenerateOptions { MinFallbackSize = 0, UseBsdiff = false },
        new DeltaGenerateOptions { MinFallbackSize = 0, MaxBsdiffSize = 100_000 },
        new DeltaGenerateOptions { MinFallbackSize = 0, MaxChunkSize = 20_000 },
        new DeltaGenerateOptions { MinFallbackSize = 0, Endianness = DeltaEndianness.Big },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void The_real_program_applies_ours(DeltaGenerateOptions options)
    {
        string delta = Generate(options), client = fixture.Client(scratch, RepoMode.BareUser);
        Tool.Run("ostree", "static-delta", "apply-offline", $"--repo={client}", delta).Ok();
        AssertArrived(client);
    }

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.BareUser)]
    [InlineData(RepoMode.BareUserOnly)]
    [InlineData(RepoMode.Archive)]
    public void We_apply_the_real_ones(RepoMode mode)
    {
        string delta = GenerateReal("--min-fallback-size=0"), client = fixture.Client(scratch, mode);
        using Repo repo = Repo.Open(client);
        OfflineDelta.Apply(repo, delta);
        AssertArrived(client);
        Assert.Equal(repo.Traverse(fixture.To).Union(repo.Traverse(fixture.From)).ToHashSet(), repo.ListObjects().ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void We_apply_ours(DeltaGenerateOptions options)
    {
        string delta = Generate(options), client = fixture.Client(scratch, RepoMode.Archive);
        using Repo repo = Repo.Open(client);
        OfflineDelta.Apply(repo, delta);
        AssertArrived(client);
        // Once more changes nothing.
        OfflineDelta.Apply(repo, delta);
    }

    [Fact]
    public void We_apply_a_real_inline_delta_from_nothing_with_detached_metadata()
    {
        string server = fixture.Copy(scratch, "real");
        using (Repo source = Repo.Open(server))
        using (RepoTransaction transaction = source.BeginTransaction())
        {
            transaction.WriteCommitMeta(fixture.To, Variant.Dictionary([KeyValuePair.Create("note", Variant.String("detached"))]));
            transaction.Commit();
        }
        Ostree.Run(server, "static-delta", "generate", "--empty", "--inline", "--min-fallback-size=0", $"--to={fixture.To}", $"--filename={scratch["one.delta"]}").Ok();
        using Repo repo = TransactionTests.New(scratch, RepoMode.BareUser, "client");
        OfflineDelta.Apply(repo, scratch["one.delta"]);
        AssertArrived(scratch["client"]);
        Assert.Equal("detached", repo.ReadCommitMeta(fixture.To)!.Lookup("note", "s")!.AsString());
    }

    [Fact]
    public void The_same_commits_give_the_same_parts_and_no_larger_ones_than_the_real_program()
    {
        DeltaGenerateOptions options = new() { MinFallbackSize = 0, Timestamp = DateTimeOffset.UnixEpoch };
        string first = Generate(options, repo: "one"), second = Generate(options, repo: "two"), real = GenerateReal("--min-fallback-size=0");
        Assert.Equal(File.ReadAllBytes(first + "/superblock"), File.ReadAllBytes(second + "/superblock"));
        Assert.Equal(File.ReadAllBytes(first + "/0"), File.ReadAllBytes(second + "/0"));
        Assert.InRange(new FileInfo(first + "/0").Length, 1, new FileInfo(real + "/0").Length * 105 / 100);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(300)]
    [InlineData(70_000)]
    public void A_superblock_is_written_as_the_variant_that_it_is(int size)
    {
        byte[] part = [(byte)'x', .. new byte[size]];
        Variant note = Variant.String("detached"), commit = Variant.FromBytes(Commit.VariantType, new Commit { RootTree = fixture.From, RootMeta = fixture.To }.Serialize());
        Variant expected = Variant.Tuple(
            Variant.Dictionary([KeyValuePair.Create("part", Variant.FromBytes("(yay)", part)), KeyValuePair.Create("note", note)]),
            Variant.UInt64(5), Variant.Bytes([]), Variant.Bytes(new byte[32]), commit, Variant.Bytes([]), Variant.Array(DeltaSuperblock.PartType, []), Variant.Array(DeltaSuperblock.FallbackType, []));
        using MemoryStream made = new();
        SuperblockWriter writer = new(made);
        byte[] boxed = Variant.Boxed(note).Data.ToArray(), boxedPart = [.. part, .. "\0(yay)"u8];
        writer.WriteMetadata([("part", boxedPart.Length, target => target.Write(boxedPart)), ("note", boxed.Length, target => target.Write(boxed))]);
        writer.Write(Variant.UInt64(5));
        writer.WriteBytes([]);
        writer.WriteBytes(new byte[32]);
        writer.Write(commit);
        writer.WriteBytes([]);
        writer.Write(Variant.Array(DeltaSuperblock.PartType, []));
        writer.Write(Variant.Array(DeltaSuperblock.FallbackType, []));
        writer.Complete();
        Assert.Equal(expected.Data.ToArray(), made.ToArray());
        Assert.True(Variant.FromBytes(DeltaSuperblock.VariantType, made.ToArray()).IsNormalForm());
    }

    [Fact]
    public void What_is_large_and_new_is_left_to_be_fetched_by_itself()
    {
        string delta = Generate(new DeltaGenerateOptions { MinFallbackSize = 2_000_000 }, new DeltaName(null, fixture.To)), client = fixture.Client(scratch, RepoMode.BareUser);
        DeltaSuperblock superblock = DeltaSuperblock.Parse(File.ReadAllBytes(delta + "/superblock"));
        DeltaFallback left = Assert.Single(superblock.Fallbacks);
        Assert.Equal(5_000_000ul, left.UncompressedSize);
        using Repo repo = Repo.Open(client);
        Assert.Contains("nonempty http fallback entries", Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(repo, delta)).Message);
    }

    [Fact]
    public void Byte_order_does_not_matter_to_who_reads()
    {
        DeltaSuperblock Read(DeltaEndianness endianness) =>
            DeltaSuperblock.Parse(File.ReadAllBytes(Generate(new DeltaGenerateOptions { Endianness = endianness, FileName = scratch[$"{endianness}.delta"], Inline = true, MinFallbackSize = 1 })));
        DeltaSuperblock little = Read(DeltaEndianness.Little), big = Read(DeltaEndianness.Big);
        Assert.Equal(DeltaEndianness.Big, big.Endianness);
        Assert.Equal(little.Fallbacks, big.Fallbacks);
        Assert.Equal(little.Parts.Select(part => (part.Version, part.Checksum, part.Size, part.UncompressedSize)), big.Parts.Select(part => (part.Version, part.Checksum, part.Size, part.UncompressedSize)));
    }

    [Fact]
    public void A_delta_whose_source_is_not_here_is_refused_and_one_that_leaves_something_out_changes_nothing()
    {
        string delta = Generate(new DeltaGenerateOptions { MinFallbackSize = 0 });
        using Repo empty = TransactionTests.New(scratch, RepoMode.BareUser, "empty");
        Assert.Contains("which is the delta source, is not in repository", Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(empty, delta)).Message);

        // Its source is only partly here.
        using Repo partial = TransactionTests.New(scratch, RepoMode.BareUser, "partial");
        using (Repo source = Repo.Open(fixture.Source))
            LocalPull.Run(source, partial, new LocalPullOptions { Refs = [fixture.From.ToString()], CommitsOnly = true });
        Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(partial, delta));
        Assert.Equal([new ObjectName(fixture.From, ObjectType.Commit)], partial.ListObjects());
    }

    [Fact]
    public void Signed_deltas_are_checked_and_where_they_must_be_unsigned_ones_refused()
    {
        Environment.SetEnvironmentVariable("OSTREE_DUMMY_SIGN_ENABLED", "1");
        Signer signer = Signer.FromText(SignatureType.Dummy, "key");
        string signed = Generate(new DeltaGenerateOptions { MinFallbackSize = 0, Inline = true, FileName = scratch["signed"], Sign = bytes => signer.AddTo(null, bytes.Span) });
        string unsigned = Generate(new DeltaGenerateOptions { MinFallbackSize = 0, Inline = true, FileName = scratch["unsigned"] });
        DeltaSuperblock superblock = DeltaSuperblock.Parse(File.ReadAllBytes(signed));
        Assert.NotNull(superblock.Signatures);
        superblock.Verify(new Verifier(SignatureType.Dummy).AddKey("key"));
        Assert.ThrowsAny<RepositoryException>(() => superblock.Verify(new Verifier(SignatureType.Dummy).AddKey("other")));
        Assert.ThrowsAny<RepositoryException>(() => superblock.Verify(new Verifier(SignatureType.Ed25519)));
        using Repo repo = Repo.Open(fixture.Client(scratch, RepoMode.BareUser));
        Formats.Keyfile.KeyFile config = Formats.Keyfile.KeyFile.Parse(repo.Config.Serialize());
        config.SetBoolean("core", "sign-verify-deltas", true);
        repo.WriteConfig(config);
        Assert.Contains("is not signed", Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(repo, unsigned)).Message);
        Assert.Contains("Key is mandatory", Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(repo, signed)).Message);
        Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(repo, signed, new Verifier(SignatureType.Dummy).AddKey("other")));
        Assert.False(repo.HasObject(new ObjectName(fixture.To, ObjectType.Commit)));
        OfflineDelta.Apply(repo, signed, new Verifier(SignatureType.Dummy).AddKey("key"));
        AssertArrived(scratch["client"]);
    }

    [Fact]
    public void Indexes_follow_the_deltas_and_pruning_takes_those_of_lost_commits()
    {
        Generate(new DeltaGenerateOptions());
        Generate(new DeltaGenerateOptions(), new DeltaName(null, fixture.From));
        using Repo repo = Repo.Open(scratch["server"]);
        Assert.Equal(new[] { fixture.Name, new DeltaName(null, fixture.From) }.Order(), StaticDeltaStore.List(repo).Order());
        StaticDeltaStore.Reindex(repo);
        Assert.Equal(new[] { fixture.From, fixture.To }.Order(), StaticDeltaStore.ListIndexes(repo).Order());
        byte[] ours = File.ReadAllBytes(scratch["server/" + DeltaName.IndexOf(fixture.To)]);
        Directory.Delete(scratch["server/delta-indexes"], recursive: true);
        Ostree.Run(scratch["server"], "static-delta", "reindex").Ok();
        Assert.Equal(File.ReadAllBytes(scratch["server/" + DeltaName.IndexOf(fixture.To)]), ours);
        StaticDeltaStore.Delete(repo, fixture.Name);
        StaticDeltaStore.Reindex(repo);
        Assert.Equal([fixture.From], StaticDeltaStore.ListIndexes(repo));
        Assert.ThrowsAny<RepositoryException>(() => StaticDeltaStore.Delete(repo, fixture.Name));
    }
}
