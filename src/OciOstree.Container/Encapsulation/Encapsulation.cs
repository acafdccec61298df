using System.Globalization;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Makes a container image of a commit: the first layer has the commit itself, the others chunks of its content, so that an update
/// moves only the layers that changed. The same commit and options give the same image.
/// </summary>
public static class Encapsulation
{
    /// <summary>
    /// Writes the image to its destination. Layers are made on several threads, each streaming from the repository into the destination;
    /// nothing is visible there if this fails.
    /// </summary>
    /// <exception cref="ContainerException">The commit or an option is not as it must be.</exception>
    /// <exception cref="RepositoryException">An object is missing or damaged.</exception>
    /// <exception cref="RegistryException">The destination refused something.</exception>
    public static EncapsulationResult Run(
        Repo repo, Checksum commit, IImageDestination destination, EncapsulateOptions options, ITransferProgress progress, CancellationToken cancellationToken)
    {
        CommitContent content = CommitContent.Read(repo, commit, cancellationToken);
        SortedDictionary<string, string> labels = CommitLabels.Create(commit, content.Commit, options);
        IReadOnlyList<string>? command = options.Command ?? CommitLabels.Command(content.Commit) ?? options.Config?.Cmd;
        ContentMeta meta = options.ContentMeta ?? ContentMeta.FromTree(content);
        ChunkPlan plan = ChunkPlan.Create(content, meta, options.MaxLayers, options.Previous);

        string subject = content.Commit.Subject.Length > 0 ? content.Commit.Subject : $"ostree export of commit {commit}";
        List<Chunk> chunks = [new Chunk(subject, [], plan.Remainder), .. plan.Chunks];
        List<LayerJob> jobs = [.. chunks.Select((chunk, index) => LayerJob.Of(repo, commit, chunk, isBase: index == 0))];
        EncapsulatedLayer[] layers = LayerJob.Run(jobs, destination, options.Compression, options.CompressionLevel, options.Threads, progress, cancellationToken);

        labels[ImageLabels.FinalDiffId] = layers[^1].DiffId.ToString();
        string created = options.ContentMeta?.Created ?? Time(content.Commit.Timestamp);
        Platform platform = options.Platform ?? (meta.Architecture is { } architecture ? new Platform("linux", architecture) : Platform.Current);
        ContainerConfig baseConfig = options.Config ?? new ContainerConfig();
        var allLabels = new SortedDictionary<string, string>(baseConfig.Labels?.ToDictionary() ?? [], StringComparer.Ordinal);
        foreach ((string key, string value) in labels)
        {
            allLabels[key] = value;
        }

        var config = new ImageConfig
        {
            Architecture = platform.Architecture,
            Os = platform.Os,
            Variant = platform.Variant,
            Created = created,
            Config = baseConfig with { Labels = allLabels, Cmd = command },
            DiffIds = [.. layers.Select(l => l.DiffId)],
            History = [.. layers.Select(l => new HistoryEntry { Created = created, CreatedBy = l.Name })],
        };
        byte[] configBytes = config.Serialize();
        var manifest = new Manifest
        {
            Config = new Descriptor(MediaTypes.OciConfig, Digest.Compute(configBytes), configBytes.Length),
            Layers = [.. layers.Select(l => l.Blob)],
            Annotations = labels,
        };
        destination.PutBlob(manifest.Config, () => new MemoryStream(configBytes, writable: false), cancellationToken);
        byte[] manifestBytes = manifest.Serialize();
        destination.PutManifest(manifestBytes, MediaTypes.OciManifest, cancellationToken: cancellationToken);
        destination.Finish(cancellationToken);
        return new EncapsulationResult(Digest.Compute(manifestBytes), manifest, config, layers, plan.KeepsArrangement);
    }

    private static string Time(ulong seconds) => seconds <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds()
        ? DateTimeOffset.FromUnixTimeSeconds((long)seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        : throw new ContainerException($"the commit's time {seconds} is out of range");
}
