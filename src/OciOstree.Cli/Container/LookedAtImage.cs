using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary>An image that a verb looks at: one that is stored in the repository of <c>--repo</c>, or one where it is.</summary>
internal sealed class LookedAtImage : IDisposable
{
    private readonly IImageSource? source;

    private LookedAtImage(string name, ImportedImage image) =>
        (Name, Stored, Manifest, Config, Digest) = (name, image, image.Manifest, image.Config, image.ManifestDigest);

    private LookedAtImage(string name, IImageSource source, FetchedManifest fetched, ImageConfig config) =>
        (this.source, Name, Manifest, Config, Digest) = (source, name, fetched.Manifest, config, fetched.Digest);

    public string Name { get; }

    /// <summary>Null if it is looked at where it is.</summary>
    public ImportedImage? Stored { get; }

    public Manifest Manifest { get; }

    public ImageConfig Config { get; }

    public Digest Digest { get; }

    /// <param name="orWhereItIs">Whether an image that is not in the repository is looked at where it is.</param>
    public static LookedAtImage Open(Repo? repo, string name, RegistryOptions options, bool orWhereItIs = false)
    {
        var reference = OstreeImageReference.ParseEither(name);
        if (repo is not null && (orWhereItIs ? new ImageStore(repo).Query(reference) : new ImageStore(repo).Require(reference)) is { } stored)
        {
            return new LookedAtImage(name, stored);
        }

        var source = Images.OpenSource(reference, options);
        try
        {
            var fetched = source.FetchManifest(options.Platform, Entry.Cancellation);
            return new LookedAtImage(name, source, fetched, source.FetchConfig(fetched.Manifest, Entry.Cancellation));
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>The packages in its databases.</summary>
    public IReadOnlyList<Package> ReadPackages(Repo? repo, ITransferProgress progress)
    {
        using var tree = Stored is not null
            ? RootTree.FromCommit(repo!, Stored.MergeCommit)
            : RootTree.PartOfImage(source!, Manifest, Config, PackageDatabases.IsPart, progress, Entry.Cancellation);
        return PackageDatabases.Read(tree);
    }

    /// <summary>The commit in its lower layers; null if it has none.</summary>
    public (Checksum Checksum, Commit Commit)? ReadCommit(Repo? repo, ITransferProgress progress)
    {
        if (Stored is null)
        {
            return EncapsulatedCommit.Read(source!, Manifest, Config, progress, Entry.Cancellation);
        }

        return Stored.BaseCommit is { } commit && EncapsulatedCommit.KindsOf(Manifest, Config)[0] == LayerKind.Commit ? (commit, repo!.ReadCommit(commit)) : null;
    }

    public void Dispose() => source?.Dispose();
}
