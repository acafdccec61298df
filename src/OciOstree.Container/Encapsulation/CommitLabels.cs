using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>What a commit's metadata becomes in an image of it.</summary>
internal static class CommitLabels
{
    private const string CommitVersion = "version";

    internal static SortedDictionary<string, string> Create(Checksum checksum, Commit commit, EncapsulateOptions options)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string key in options.CopyMetadata)
        {
            labels[key] = Text(commit, key) ?? throw new ContainerException($"commit {checksum} has no metadata '{key}'");
        }

        foreach (string key in options.CopyOptionalMetadata)
        {
            if (Text(commit, key) is { } value)
            {
                labels[key] = value;
            }
        }

        if (commit.Metadata.Lookup(ImageLabels.Bootable) is { } bootable)
        {
            labels[ImageLabels.Bootable] = Require(bootable, ImageLabels.Bootable, "b").AsBoolean() ? "true" : "false";
            labels[ImageLabels.Bootc] = "1";
        }

        if (Text(commit, ImageLabels.Linux) is { } kernel)
        {
            labels[ImageLabels.Linux] = kernel;
        }

        if (Text(commit, CommitVersion) is { } version)
        {
            labels[ImageLabels.Version] = version;
        }

        labels[ImageLabels.Commit] = checksum.ToString();
        foreach ((string key, string value) in options.Labels)
        {
            labels[key] = value;
        }

        foreach ((string key, string value) in options.ContentMeta?.Labels ?? new Dictionary<string, string>())
        {
            labels[key] = value;
        }

        return labels;
    }

    /// <summary>What a container of the image runs, as the commit's metadata says; null if it says nothing.</summary>
    internal static IReadOnlyList<string>? Command(Commit commit) => commit.Metadata.Lookup("ostree.container-cmd") is { } value
        ? Require(value, "ostree.container-cmd", "as").AsStrings()
        : null;

    private static string? Text(Commit commit, string key)
        => commit.Metadata.Lookup(key) is { } value ? Require(value, key, "s").AsString() : null;

    private static Variant Require(Variant value, string key, string type)
        => value.Type == type ? value : throw new ContainerException($"the commit's metadata '{key}' is of type {value.Type}, not {type}");
}
