using System.Buffers.Binary;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>
/// The <c>summary</c> file: the refs of a repository with their commits' checksums, sizes and times, and keys about the whole,
/// so that a client over HTTP, which cannot list directories, learns what there is.
/// </summary>
public static class RepoSummary
{
    public const string FileName = "summary", SignatureFileName = "summary.sig", VariantType = "(a(s(taya{sv}))a{sv})";

    private const string MetadataRef = "ostree-metadata", RefType = "(s(taya{sv}))";
    private const long MaxSize = 256 << 20;

    /// <summary>The summary as it is on disk.</summary>
    /// <exception cref="RepositoryException">There is none.</exception>
    public static Variant Read(Repo repo) => Variant.FromBytes(VariantType,
        repo.Root.TryReadAllBytes(FileName, MaxSize) ?? throw new RepositoryException($"openat({FileName}): No such file or directory"));

    /// <summary>The signatures of the summary as they are on disk, an <c>a{sv}</c>; null if there are none.</summary>
    public static Variant? ReadSignatures(Repo repo) => repo.Root.TryReadAllBytes(SignatureFileName, MaxSize) is { } bytes ? Variant.FromBytes("a{sv}", bytes) : null;

    /// <summary>
    /// Writes the summary anew, and removes a signature, which it can no longer match. A repository with a collection gets a
    /// commit that holds the additional metadata first, as its clients believe only commits.
    /// </summary>
    /// <param name="additional">Further keys for the summary.</param>
    /// <param name="keys">What the summary, and that commit, are signed with.</param>
    public static void Regenerate(Repo repo, IEnumerable<KeyValuePair<string, Variant>>? additional = null, SigningKeys? keys = null)
    {
        KeyValuePair<string, Variant>[] extra = additional?.ToArray() ?? [];
        if (repo.Settings.CollectionId is { } own)
            CommitMetadata(repo, own, extra, keys);
        Update(repo, extra, keys);
    }

    /// <summary>As <see cref="Regenerate"/>, without a new metadata commit: for when refs have changed.</summary>
    internal static void Update(Repo repo, IEnumerable<KeyValuePair<string, Variant>> additional, SigningKeys? signingKeys = null)
    {
        string? own = repo.Settings.CollectionId;
        var refs = new List<Variant>();
        var collections = new List<Variant>();
        if (own is null)
        {
            // A remote's refs are the remote's to announce.
            foreach ((string name, Checksum commit) in repo.ListRefs(options: RefListing.ExcludeRemotes))
                refs.Add(Entry(repo, name, commit));
        }
        foreach (IGrouping<string, KeyValuePair<CollectionRef, Checksum>> collection in repo.ListCollectionRefs()
            .GroupBy(r => r.Key.CollectionId).OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            Variant[] entries = collection.OrderBy(r => r.Key.Name, StringComparer.Ordinal).Select(r => Entry(repo, r.Key.Name, r.Value)).ToArray();
            if (collection.Key == own)
                refs.AddRange(entries);
            else
                collections.Add(Variant.DictEntry(Variant.String(collection.Key), Variant.Array(RefType, entries)));
        }

        var keys = new VariantDictionary();
        foreach ((string key, Variant value) in additional)
            keys[key] = value;
        if (repo.Config.GetBoolean("core", "no-deltas-in-summary") != true && StaticDeltaStore.Map(repo) is { } deltas)
            keys[StaticDeltaStore.MapKey] = deltas;
        keys["ostree.summary.last-modified"] = BigEndian((ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        keys["ostree.summary.mode"] = Variant.String(repo.Config.GetString("core", "mode") ?? "bare");
        keys["ostree.summary.tombstone-commits"] = Variant.Boolean(repo.Settings.TombstoneCommits);
        keys["ostree.summary.indexed-deltas"] = Variant.Boolean(true);
        if (own is not null)
            keys["ostree.summary.collection-id"] = Variant.String(own);
        if (collections.Count > 0)
            keys["ostree.summary.collection-map"] = Variant.Array($"{{sa{RefType}}}", collections);

        Variant summary = Variant.Tuple(Variant.Array(RefType, refs), keys.ToVariant());
        StaticDeltaStore.Reindex(repo);
        // Signed before it is seen: who reads it must not find it unsigned for longer than a rename takes.
        Variant? signatures = signingKeys?.AddTo(null, summary.Data.ToArray());
        repo.Root.ReplaceFile(FileName, summary.Data.Span, 0x1A4, repo.Settings.Fsync);
        if (signatures is not null)
        {
            repo.Root.ReplaceFile(SignatureFileName, signatures.Data.Span, 0x1A4, repo.Settings.Fsync);
            // Of one time, as they belong together: who serves them by time (Last-Modified) must not tell them apart.
            long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            repo.Root.SetModified(FileName, now);
            repo.Root.SetModified(SignatureFileName, now);
        }
        else
            repo.Root.TryUnlink(SignatureFileName);
    }

    private static Variant Entry(Repo repo, string name, Checksum checksum)
    {
        ReadOnlyMemory<byte> bytes = repo.ReadMetadata(new ObjectName(checksum, ObjectType.Commit));
        Commit commit = Commit.Parse(bytes);
        var keys = new VariantDictionary();
        if (commit.Timestamp <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            keys["ostree.commit.timestamp"] = BigEndian(commit.Timestamp);
        if (commit.Metadata.Lookup("version", "s") is { } version)
            keys["ostree.commit.version"] = version;
        return Variant.Tuple(Variant.String(name),
            // The size alone is little-endian, as libostree forgets to swap it.
            Variant.Tuple(Variant.UInt64((ulong)bytes.Length), Variant.Bytes(checksum.ToArray()), keys.ToVariant()));
    }

    private static void CommitMetadata(Repo repo, string collection, IEnumerable<KeyValuePair<string, Variant>> additional, SigningKeys? signingKeys)
    {
        var keys = new VariantDictionary();
        foreach ((string key, Variant value) in additional)
            keys[key] = value;
        keys[Bindings.CollectionKey] = Variant.String(collection);
        keys[Bindings.RefKey] = Variant.Strings([MetadataRef]);
        using var transaction = new RepoTransaction(repo) { KeepsSummary = false };
        var commit = new Commit
        {
            Metadata = keys.ToVariant(),
            Parent = repo.ResolveRef(MetadataRef, searchRemotes: false),
            Timestamp = (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            RootTree = transaction.WriteDirTree(DirTree.Empty),
            RootMeta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ED, XattrSet.Empty)),
        };
        Checksum checksum = transaction.WriteCommit(commit);
        if (signingKeys?.AddTo(null, commit.Serialize()) is { } signatures)
            transaction.WriteCommitMeta(checksum, signatures);
        transaction.SetCollectionRef(new CollectionRef(collection, MetadataRef), checksum);
        transaction.Commit();
    }

    private static Variant BigEndian(ulong value) => Variant.UInt64(BinaryPrimitives.ReverseEndianness(value));
}
