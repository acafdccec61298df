using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Imports an image into a repository:
/// <code>
/// using var importer = new ImageImporter(repo, reference, options);
/// var plan = importer.Prepare(token);
/// var image = plan.Present ?? importer.Import(plan, progress, token);
/// </code>
/// Refs change in one step at the end, so that an import that fails leaves the repository as it was; what an interrupted one had
/// finished is not fetched again.
/// </summary>
public sealed class ImageImporter : IDisposable
{
    private readonly Repo repo;
    private readonly OstreeImageReference reference;
    private readonly ImportOptions options;
    private readonly PendingLayers pending;
    private readonly LayerTransactions transactions;
    private readonly ImageStore store;
    private IImageSource? source;
    private TopLevelRules topLevels = TopLevelRules.Default;
    private ImageTrust? imageTrust;
    private CommitTrust? commitTrust;
    private string? imageSignatures;
    private string? signatures;

    public ImageImporter(Repo repo, OstreeImageReference reference, ImportOptions? options = null)
        : this(repo, reference, options, null)
    {
    }

    /// <param name="source">Where the image comes from, whatever the reference says; disposed with the importer.</param>
    internal ImageImporter(Repo repo, OstreeImageReference reference, ImportOptions? options, IImageSource? source)
    {
        this.source = source;
        (this.repo, this.reference, this.options) = (repo, reference, options ?? new ImportOptions());
        pending = new PendingLayers(repo);
        transactions = new LayerTransactions(repo);
        store = new ImageStore(repo);
    }

    private ImageReference StoredAs => options.Target ?? reference.Image;

    /// <summary>
    /// Fetches the manifest and finds out what is missing. If the repository has an older image of that name, the new one is remembered
    /// with it as an update.
    /// </summary>
    /// <exception cref="ContainerException">The image cannot be had, or is not acceptable.</exception>
    public ImportPlan Prepare(CancellationToken cancellationToken = default)
    {
        try
        {
            return Prepare(asCommit: false, cancellationToken);
        }
        catch (Exception e) when (e is RegistryException or RepositoryException or ContainerException)
        {
            throw new ContainerException($"Preparing import of {reference}", e);
        }
    }

    /// <summary>Does what the plan says and returns the image.</summary>
    /// <exception cref="ContainerException">A layer cannot be had or is not what it should be, or writing failed.</exception>
    public ImportedImage Import(ImportPlan plan, ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        if (plan.Present is { } present)
        {
            return present;
        }

        try
        {
            var (layers, dropped) = ImportLayers(plan.Layers, progress ?? TransferProgress.None, cancellationToken);
            var image = Merge(plan, layers, cancellationToken);
            pending.Remove(layers);
            // Without an image that uses them, the layers just imported would be the first to go.
            if (options.PruneLayers && options.WriteImageRef)
            {
                store.PruneLayerRefs();
            }

            var unsigned = commitTrust is not null && layers.Any(layer => layer.Kind == LayerKind.Derived) ? [commitTrust.WarningOfDerived] : Array.Empty<string>();
            var squashed = ManifestLayout.Parse(plan.Manifest, plan.Config).IsSquashed
                ? [$"The layer that label {ImageLabels.FinalDiffId} names is not there (was the image squashed?): all layers are imported as a build's, and updates share none with the base"]
                : Array.Empty<string>();
            return image with { Signatures = Signers(signatures), Dropped = dropped, Warnings = [.. dropped.Warnings(), .. image.Warnings, .. squashed, .. unsigned] };
        }
        catch (Exception e) when (e is RegistryException or RepositoryException or ContainerException or IOException)
        {
            throw new ContainerException($"Importing {reference}", e);
        }
        finally
        {
            transactions.Dispose();
        }
    }

    /// <summary>
    /// Brings the commit inside an image into the repository and writes no ref; the image must have nothing but that commit.
    /// </summary>
    /// <returns>The commit.</returns>
    public Checksum Unencapsulate(ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        try
        {
            var plan = Prepare(asCommit: true, cancellationToken);
            var derived = plan.Layers.Count(layer => layer.Kind == LayerKind.Derived);
            if (derived == plan.Layers.Count)
            {
                throw new ContainerException($"no {ImageLabels.FinalDiffId} label found, not an ostree encapsulated container");
            }

            if (derived > 0)
            {
                throw new ContainerException($"image has {derived} non-ostree layers, which belong to no commit: `container image pull` imports such images");
            }

            var (layers, _) = ImportLayers(plan.Layers, progress ?? TransferProgress.None, cancellationToken);
            var commit = layers[0].Commit!.Value;
            transactions.Current.MarkPartial(commit, false);
            transactions.Commit();
            pending.Remove(layers);
            return commit;
        }
        catch (Exception e) when (e is RegistryException or RepositoryException or ContainerException or IOException)
        {
            throw new ContainerException($"Importing {reference}", e);
        }
        finally
        {
            transactions.Dispose();
        }
    }

    public void Dispose()
    {
        transactions.Dispose();
        pending.Dispose();
        source?.Dispose();
    }

    private ImportPlan Prepare(bool asCommit, CancellationToken cancellationToken)
    {
        CheckSignatureSource();
        var previous = asCommit ? null : FindPrevious();
        topLevels = options.TopLevels ?? previous?.TopLevels ?? TopLevelRules.Default;
        // What could not be labelled once may be by now, and what was placed by other rules is to be placed again; it is as good as changed.
        var isLacking = previous is not null && ((previous.UnappliedPolicy is not null && MergeLabels.MayLabel(repo, options)) || !previous.TopLevels.Equals(topLevels));
        if (previous is not null && !isLacking && !imageTrust!.NeedsSignatures && AsksForDigest(previous.ManifestDigest))
        {
            // It may have come in when nobody asked who vouches for it.
            return new ImportPlan(previous with { Signatures = commitTrust?.Verify(previous.BaseCommit) });
        }

        source ??= Images.OpenSource(reference.Image, options.Registry);
        var fetched = source.FetchManifest(options.Registry.Platform, cancellationToken);
        imageSignatures = imageTrust!.Verify(source, fetched, cancellationToken);
        if (previous is not null && !isLacking && (previous.ManifestDigest == fetched.Digest || previous.Manifest.Config.Digest == fetched.Manifest.Config.Digest))
        {
            return new ImportPlan(previous with { Signatures = Signers(commitTrust?.Verify(previous.BaseCommit)) });
        }

        ReadOnlyMemory<byte> configBytes = source.ReadBlob(fetched.Manifest.Config, cancellationToken: cancellationToken);
        var config = ImageConfig.Parse(configBytes);
        if (options.RequireBootable)
        {
            RequireBootable(config);
        }

        var layout = ManifestLayout.Parse(fetched.Manifest, config);
        var history = ImageStore.HistoryOf(config, layout.Layers.Count);
        var stored = new StoredLayers(repo, pending, transactions);
        PlannedLayer[] layers = ThatFit(
        [
            .. layout.Layers.Select((layer, index) => new PlannedLayer(
                layer.Descriptor, layer.DiffId, layer.Kind, index < history.Count ? history[index] : "", stored.Find(layer.Descriptor, layer.DiffId, layer.Kind))),
        ]);
        if (previous is not null)
        {
            MergeCommit.WriteCachedUpdate(repo, previous.MergeCommit, fetched.Digest, fetched.Bytes, configBytes);
        }

        return new ImportPlan(fetched, configBytes, config, layers, previous);
    }

    private void CheckSignatureSource()
    {
        imageTrust = ImageTrust.Of(reference);
        commitTrust = CommitTrust.Of(repo, reference.Source);
    }

    // The image's, the commit's, or both.
    private string? Signers(string? ofCommit) => imageSignatures is null || ofCommit is null ? imageSignatures ?? ofCommit : $"{imageSignatures}\n{ofCommit}";

    // An image that cannot be read any more, or whose base is gone, is as good as none: it is imported again.
    private ImportedImage? FindPrevious()
    {
        if (repo.ResolveRef(ImageRefs.ForImage(StoredAs)) is not { } commit || !repo.HasObject(new ObjectName(commit, ObjectType.Commit)))
        {
            return null;
        }

        try
        {
            return store.QueryCommit(commit) is { BaseCommit: not null } image ? image : null;
        }
        catch (ContainerException)
        {
            return null;
        }
    }

    private bool AsksForDigest(Digest present)
    {
        var name = reference.Image.Name;
        var at = name.IndexOf('@');
        return reference.Image.Transport == Transport.Registry && at >= 0 && name[(at + 1)..] == present.ToString();
    }

    private static void RequireBootable(ImageConfig config)
    {
        if (!config.Labels.ContainsKey(ImageLabels.Bootable) && !config.Labels.ContainsKey(ImageLabels.Bootc))
        {
            throw new ContainerException($"target image does not have {ImageLabels.Bootable} label");
        }

        var expected = Platform.Current.Architecture;
        if (config.Architecture != expected)
        {
            throw new ContainerException($"image has architecture {config.Architecture}; expected {expected}");
        }
    }

    private (PlannedLayer[] Layers, DroppedContent Dropped) ImportLayers(IReadOnlyList<PlannedLayer> planned, ITransferProgress progress, CancellationToken cancellationToken)
    {
        var layers = planned.ToArray();
        var dropped = new DroppedContent();
        using var writers = new ObjectWriters(Environment.ProcessorCount);
        var missing = layers.Where(layer => layer.Commit is null).DistinctBy(layer => layer.Descriptor.Digest).ToArray();
        progress.Expect(missing.Length, missing.Sum(layer => layer.Descriptor.Size));
        var importer = new LayerImporter(transactions, source ?? throw new InvalidOperationException("not prepared"), pending, writers, progress);

        // The base says how derived content is to be mapped, so it goes first.
        Run(layer => layer.Kind != LayerKind.Derived, new LayerPath(topLevels, keepOthers: false), labels: null);
        var baseCommit = layers[0].Kind == LayerKind.Commit ? layers[0].Commit : null;
        signatures = commitTrust?.Verify(baseCommit);
        if (baseCommit is { } commit && !IsKnownWhole(layers[0], commit) && ObjectCheck.FindMissing(repo, commit) is { } lacking)
        {
            throw new ContainerException($"the image does not hold all of commit {commit}: {lacking} is missing");
        }

        layers = ThatFit(layers);
        foreach (var present in layers.Where(layer => layer.Kind == LayerKind.Derived && layer.Commit is not null).DistinctBy(layer => layer.Descriptor.Digest))
        {
            dropped.Add(LayerMetadata.Read(repo.ReadCommit(present.Commit!.Value)).Dropped);
        }

        using var labels = baseCommit is { } labelled && MergeLabels.MayLabel(repo, options) && layers.Any(layer => layer.Commit is null) ? ContentLabels.OfLabelled(repo, labelled) : null;
        Run(layer => layer.Kind == LayerKind.Derived, PathsOn(baseCommit), labels);
        return (layers, dropped);

        void Run(Func<PlannedLayer, bool> which, LayerPath paths, ContentLabels? labels)
        {
            var wanted = layers.Where(layer => layer.Commit is null && which(layer)).DistinctBy(layer => layer.Descriptor.Digest).ToArray();
            var results = new (Checksum Commit, DroppedContent Dropped)[wanted.Length];
            BoundedWork.Run(wanted.Length, options.Parallelism, (index, token) => results[index] = importer.Run(wanted[index], paths, labels, token), cancellationToken);
            for (var index = 0; index < wanted.Length; index++)
            {
                dropped.Add(results[index].Dropped);
                for (var i = 0; i < layers.Length; i++)
                {
                    if (layers[i].Descriptor.Digest == wanted[index].Descriptor.Digest && layers[i].Kind == wanted[index].Kind)
                    {
                        layers[i] = layers[i] with { Commit = results[index].Commit };
                    }
                }
            }
        }
    }

    private LayerPath PathsOn(Checksum? baseCommit) => new(topLevels, RootSettings.HasTransientRoot(repo, baseCommit));

    // A layer that is here may have been imported for another base, or by other rules. As long as not all of the base is, nobody knows.
    private PlannedLayer[] ThatFit(PlannedLayer[] layers)
    {
        if (layers.Any(layer => layer.Kind != LayerKind.Derived && layer.Commit is null) || !layers.Any(layer => layer is { Kind: LayerKind.Derived, Commit: not null }))
        {
            return layers;
        }

        var paths = PathsOn(layers[0].Kind == LayerKind.Commit ? layers[0].Commit : null);
        return
        [
            .. layers.Select(layer => layer is { Kind: LayerKind.Derived, Commit: { } commit } && !LayerMetadata.Read(repo.ReadCommit(commit)).Fits(paths, topLevels.IsDefault)
                ? layer with { Commit = null }
                : layer),
        ];
    }

    // The ref is written only once all objects are there; looking for each of them takes longer than a small update.
    private bool IsKnownWhole(PlannedLayer layer, Checksum commit) => repo.ResolveRef(layer.RefName) == commit && repo.StateOf(commit) == CommitState.Whole;

    private ImportedImage Merge(ImportPlan plan, PlannedLayer[] layers, CancellationToken cancellationToken)
    {
        var transaction = transactions.Current;
        var baseCommit = layers[0].Kind == LayerKind.Commit ? layers[0].Commit : null;
        var defaultMeta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ed /* drwxr-xr-x */, XattrSet.Empty));
        var union = new LayerUnion(repo, baseCommit, defaultMeta);
        foreach (var layer in layers)
        {
            if (layer.Kind == LayerKind.Derived)
            {
                union.Add(layer.Commit!.Value);
            }
        }

        union.Finish();
        if (options.RequireBootable && !union.HasKernel())
        {
            throw new ContainerException("the image has no kernel: there is no usr/lib/modules/*/vmlinuz");
        }

        var labelling = MergeLabels.Apply(repo, transaction, union.Root, baseCommit, layers, options, cancellationToken);
        var merge = transaction.WriteCommit(MergeCommit.Create(plan, baseCommit, union.Root.Write(transaction), union.Root.Metadata ?? defaultMeta, labelling.Unapplied, topLevels));
        foreach (var layer in layers)
        {
            transaction.SetRef(layer.RefName, layer.Commit);
        }

        if (options.WriteImageRef)
        {
            transaction.SetRef(ImageRefs.ForImage(StoredAs), merge);
        }

        if (baseCommit is { } whole)
        {
            transaction.MarkPartial(whole, false);
        }

        transactions.Commit();
        return store.QueryCommit(merge)! with { Warnings = labelling.Warnings };
    }
}
