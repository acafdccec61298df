using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// The SELinux labels of an image whose layers were united. The policy is that of the united tree, so a layer may change it: then everything is labelled again,
/// otherwise what is not the base's. Layers that were labelled otherwise, for another image or not at all, follow. The result depends on the image alone, never
/// on what was imported before.
/// </summary>
internal static class MergeLabels
{
    /// <param name="Unapplied">The name of the policy that the image has and that was not applied; null if there is none.</param>
    internal readonly record struct Result(string? Unapplied, IReadOnlyList<string> Warnings);

    /// <summary>Whether labels may be given at all.</summary>
    internal static bool MayLabel(Repo repo, ImportOptions options) => AreWanted(repo, options) && FileContexts.IsAvailable;

    private static bool AreWanted(Repo repo, ImportOptions options) => options.Labels && repo.Settings.Selinux && repo.Mode != RepoMode.BareUserOnly;

    /// <summary>Labels the tree, and replaces the commits of derived layers that have other labels than the image will have.</summary>
    /// <exception cref="ContainerException">The image has a policy that cannot be applied.</exception>
    internal static Result Apply(Repo repo, RepoTransaction transaction, MutableTree tree, Checksum? baseCommit, PlannedLayer[] layers, ImportOptions options, CancellationToken cancellationToken)
    {
        var derived = layers.Any(layer => layer.Kind == LayerKind.Derived);
        var isBaseLabelled = baseCommit is { } commit && ContentLabels.IsLabelled(repo, commit);
        if (!derived && isBaseLabelled)
        {
            return new Result(null, []);
        }

        try
        {
            var policy = FindPolicy(repo, tree, options);
            if (policy is null || !AreWanted(repo, options))
            {
                LabelDerived(repo, transaction, tree, baseCommit, null, layers, isWhole: false, cancellationToken);
                return policy is null ? new Result(null, []) : new Result(policy.Name, [Unlabelled(policy.Name, repo)]);
            }

            if (!FileContexts.IsAvailable)
            {
                throw new ContainerException(
                    $"policy '{policy.Name}' needs {FileContexts.LibraryName}, which is not installed (--no-selinux does without labels, for a system that relabels itself)");
            }

            using var ofBase = baseCommit is { } labelled ? ContentLabels.OfLabelled(repo, labelled) : null;
            var isSame = ofBase?.PolicyDigest == policy.LabelsDigest;
            using var own = isSame ? null : new ContentLabels(policy.Open(), ofBase?.DefaultsAsEtc == true);
            LabelDerived(repo, transaction, tree, baseCommit, own ?? ofBase, layers, isWhole: !isSame, cancellationToken);
            return new Result(null, []);
        }
        catch (Exception e) when (e is RepositoryException or ContainerException)
        {
            throw new ContainerException("Labelling content by the image's SELinux policy", e);
        }
    }

    private static void LabelDerived(
        Repo repo, RepoTransaction transaction, MutableTree tree, Checksum? baseCommit, ContentLabels? labels, PlannedLayer[] layers, bool isWhole, CancellationToken cancellationToken)
    {
        var relabelling = new Relabelling(repo, transaction, labels, cancellationToken);
        var isAnyOther = false;
        for (var index = 0; index < layers.Length; index++)
        {
            if (layers[index] is { Kind: LayerKind.Derived, Commit: { } commit } && LayerMetadata.Read(repo.ReadCommit(commit)).Labels != labels?.Id)
            {
                layers[index] = layers[index] with { Commit = relabelling.LabelLayer(commit) };
                isAnyOther = true;
            }
        }

        // Without a policy there is nothing to do unless some layer was labelled for another image.
        if (labels is not null || isAnyOther)
        {
            var from = !isWhole && baseCommit is { } stored ? repo.ReadCommit(stored) : null;
            relabelling.LabelChanges(tree, from is null ? null : (from.RootTree, from.RootMeta));
        }
    }

    // What is imported without labels needs a name for the warning, not a policy that is whole.
    private static SePolicyFiles? FindPolicy(Repo repo, MutableTree tree, ImportOptions options)
    {
        try
        {
            return SePolicyFiles.Find(repo, tree);
        }
        catch (RepositoryException) when (!AreWanted(repo, options))
        {
            return null;
        }
    }

    private static string Unlabelled(string policy, Repo repo) => repo.Mode == RepoMode.BareUserOnly
        ? $"Image has the SELinux policy '{policy}', and a bare-user-only repository cannot hold labels: its content has none"
        : $"Image has the SELinux policy '{policy}', and its layers are imported without labels: the system must relabel itself or run permissively";
}
