using System.Globalization;
using OciOstree.Formats.GVariant;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The commit that unites an image's layers and remembers the image: the layout that ostree-ext and bootc read.</summary>
internal static class MergeCommit
{
    private const string ManifestDigestKey = "ostree.manifest-digest";
    private const string ManifestKey = "ostree.manifest";
    private const string ConfigKey = "ostree.container.image-config";

    /// <summary>Detached, so that it can change: what an update would bring.</summary>
    private const string CachedPrefix = "ostree-ext.cached.";
    private const string CachedDigestKey = CachedPrefix + "manifest-digest";
    private const string CachedManifestKey = CachedPrefix + "manifest";
    private const string CachedConfigKey = CachedPrefix + "config";

    /// <summary>The SELinux policy that the tree has and that was not applied.</summary>
    private const string UnappliedPolicyKey = "oci-ostree.unapplied-selinux-policy";

    /// <summary>Where content outside of <c>usr</c> and <c>etc</c> was to go, if somebody chose.</summary>
    private const string TopLevelsKey = "oci-ostree.top-level-rules";

    internal static Commit Create(ImportPlan plan, Checksum? baseCommit, Checksum tree, Checksum meta, string? unappliedPolicy, TopLevelRules topLevels) => new()
    {
        Metadata = Variant.Dictionary(
        [
            new(ConfigKey, Variant.String(ImageJson.Canonical(plan.ConfigBytes))),
            new(LayerMetadata.ImporterVersionKey, Variant.String(LayerMetadata.ImporterVersion)),
            new(ManifestKey, Variant.String(ImageJson.Canonical(plan.ManifestBytes))),
            new(ManifestDigestKey, Variant.String(plan.ManifestDigest.ToString())),
            .. unappliedPolicy is null ? [] : (IEnumerable<KeyValuePair<string, Variant>>)[new(UnappliedPolicyKey, Variant.String(unappliedPolicy))],
            .. topLevels.IsDefault ? [] : (IEnumerable<KeyValuePair<string, Variant>>)[new(TopLevelsKey, topLevels.ToVariant())],
        ]),
        Parent = baseCommit,
        Timestamp = TimestampOf(plan.Manifest, plan.Config),
        RootTree = tree,
        RootMeta = meta,
    };

    /// <summary>Reads an image back; null if the commit is not one.</summary>
    /// <exception cref="ContainerException">It is one, but what it says does not parse.</exception>
    internal static ImportedImage? Read(Repo repo, Checksum checksum)
    {
        var commit = repo.ReadCommit(checksum);
        if (commit.Metadata.Lookup(ManifestDigestKey, "s")?.AsString() is not { } digest)
        {
            return null;
        }

        try
        {
            var manifestJson = commit.Metadata.Lookup(ManifestKey, "s")?.AsString() ?? throw new ContainerException($"no metadata key {ManifestKey}");
            // Old peers wrote null where they had no configuration.
            var configJson = commit.Metadata.Lookup(ConfigKey, "s")?.AsString() is { } given and not "null" ? given : "{}";
            var manifest = Manifest.Parse(System.Text.Encoding.UTF8.GetBytes(manifestJson));
            return new ImportedImage
            {
                MergeCommit = checksum,
                BaseCommit = manifest.Layers.Count == 0 ? null : repo.ResolveRef(ImageRefs.ForLayer(manifest.Layers[0].Digest)),
                ManifestDigest = Digest.Parse(digest),
                Manifest = manifest,
                ManifestJson = manifestJson,
                Config = ImageConfig.Parse(System.Text.Encoding.UTF8.GetBytes(configJson)),
                ConfigJson = configJson,
                UnappliedPolicy = commit.Metadata.Lookup(UnappliedPolicyKey, "s")?.AsString(),
                TopLevels = TopLevelRules.FromVariant(commit.Metadata.Lookup(TopLevelsKey, "as")),
                CachedUpdate = ReadCachedUpdate(repo.ReadCommitMeta(checksum)),
            };
        }
        catch (Exception e) when (e is RegistryException or ContainerException or VariantException)
        {
            throw new ContainerException($"Reading image metadata of commit {checksum}", e);
        }
    }

    /// <summary>Remembers an update with the image that it would replace.</summary>
    internal static void WriteCachedUpdate(Repo repo, Checksum commit, Digest manifestDigest, ReadOnlyMemory<byte> manifest, ReadOnlyMemory<byte> config)
    {
        using var transaction = repo.BeginTransaction();
        transaction.WriteCommitMeta(commit, Variant.Dictionary(
        [
            .. OtherMetadata(repo, commit),
            new(CachedConfigKey, Variant.String(ImageJson.Canonical(config))),
            new(CachedManifestKey, Variant.String(ImageJson.Canonical(manifest))),
            new(CachedDigestKey, Variant.String(manifestDigest.ToString())),
        ]));
        transaction.Commit();
    }

    /// <summary>Forgets the update; other detached metadata stays.</summary>
    internal static void ClearCachedUpdate(Repo repo, Checksum commit)
    {
        if (repo.ReadCommitMeta(commit)?.Lookup(CachedDigestKey) is null)
        {
            return;
        }

        var others = OtherMetadata(repo, commit);
        using var transaction = repo.BeginTransaction();
        transaction.WriteCommitMeta(commit, others.Count == 0 ? null : Variant.Dictionary(others));
        transaction.Commit();
    }

    private static List<KeyValuePair<string, Variant>> OtherMetadata(Repo repo, Checksum commit) =>
    [
        .. (repo.ReadCommitMeta(commit)?.Children ?? [])
            .Select(entry => new KeyValuePair<string, Variant>(entry[0].AsString(), entry[1].AsVariant()))
            .Where(entry => !entry.Key.StartsWith(CachedPrefix, StringComparison.Ordinal)),
    ];

    private static CachedUpdate? ReadCachedUpdate(Variant? detached)
    {
        if (detached?.Lookup(CachedDigestKey, "s")?.AsString() is not { } digest)
        {
            return null;
        }

        byte[] Text(string key) => System.Text.Encoding.UTF8.GetBytes(detached.Lookup(key, "s")?.AsString() ?? throw new ContainerException($"no detached metadata key {key}"));
        return new CachedUpdate(Digest.Parse(digest), Manifest.Parse(Text(CachedManifestKey)), ImageConfig.Parse(Text(CachedConfigKey)));
    }

    // The manifest's own time goes before the configuration's. Without either, 0: the same image is the same commit wherever it is imported.
    private static ulong TimestampOf(Manifest manifest, ImageConfig config)
    {
        var text = manifest.Annotations?.GetValueOrDefault(ImageLabels.Created) ?? config.Created;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time.ToUnixTimeSeconds() is var seconds and > 0
            ? (ulong)seconds
            : 0;
    }
}
