using OciOstree.Formats.Keyfile;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>What a tree's <c>prepare-root.conf</c> says of the root that a machine boots.</summary>
internal static class RootSettings
{
    private const int MaxSize = 1 << 20;

    /// <summary>
    /// Whether the root is an overlay, by <c>[root] transient</c> or composefs, so that top-level directories of derived layers exist on
    /// the machine. True for an image without a base: it has no commit that could say otherwise.
    /// </summary>
    internal static bool HasTransientRoot(Repo repo, Checksum? baseCommit)
    {
        if (baseCommit is not { } commit)
        {
            return true;
        }

        var root = MutableTree.FromCommit(repo, commit);
        foreach (var directory in (ReadOnlySpan<string>)["etc/ostree", "usr/lib/ostree"])
        {
            if (root.Walk(directory) is { } found && found.TryGetFile("prepare-root.conf", out var checksum))
            {
                return IsOverlay(Read(repo, checksum));
            }
        }

        return false;
    }

    private static KeyFile Read(Repo repo, Checksum checksum)
    {
        try
        {
            using var file = repo.OpenFile(checksum);
            var bytes = new byte[file.Size <= MaxSize ? file.Size : throw new ContainerException("the file is too large")];
            file.Content.ReadExactly(bytes);
            return KeyFile.Parse(bytes);
        }
        catch (Exception e) when (e is FormatException or ContainerException)
        {
            throw new ContainerException("Reading prepare-root.conf of the base commit", e);
        }
    }

    private static bool IsOverlay(KeyFile config) =>
        config.GetBoolean("root", "transient") == true
        || config.GetString("composefs", "enabled") is "yes" or "true" or "1" or "maybe" or "signed" or "verity";
}
