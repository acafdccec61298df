using System.Security.Cryptography;
using System.Text;

namespace OciOstree.Testing;

/// <summary>What a user can see of a directory tree, one line a path, to compare two of them.</summary>
public static class TreeSnapshot
{
    /// <summary>
    /// Lines <c>path type mode uid:gid details xattrs</c>, sorted by path; details are the size and SHA-256 of a file's
    /// content (and its mtime and link count, if asked for) or a symbolic link's target.
    /// </summary>
    public static string[] Of(string root, SnapshotDetails details = SnapshotDetails.Default)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add(root, ".", details, lines);
        return [.. lines.Select(line => line.Key + line.Value)];
    }

    /// <summary>Fails with the first differing lines, if the trees differ.</summary>
    public static void AssertEqual(string expectedRoot, string actualRoot, SnapshotDetails details = SnapshotDetails.Default)
    {
        string[] expected = Of(expectedRoot, details), actual = Of(actualRoot, details);
        string[] missing = [.. expected.Except(actual)], surplus = [.. actual.Except(expected)];
        if (missing.Length + surplus.Length == 0)
            return;
        IEnumerable<string> report = missing.Take(10).Select(line => "- " + line).Concat(surplus.Take(10).Select(line => "+ " + line));
        throw new ToolException($"{actualRoot} is not like {expectedRoot} ({missing.Length} lines missing, {surplus.Length} more):\n{string.Join('\n', report)}");
    }

    private static void Add(string path, string name, SnapshotDetails details, SortedDictionary<string, string> lines)
    {
        Native.Statx status = Native.Status(path);
        var line = new StringBuilder();
        line.Append(' ').Append(Convert.ToString(status.Mode, 8));
        if (details.HasFlag(SnapshotDetails.Owners))
            line.Append($" {status.Uid}:{status.Gid}");
        bool isDirectory = (status.Mode & 0xf000) == 0x4000, isFile = (status.Mode & 0xf000) == 0x8000;
        if ((status.Mode & 0xf000) == 0xa000)
            line.Append(" -> ").Append(File.ResolveLinkTarget(path, false) is null ? "" : new FileInfo(path).LinkTarget);
        else if (isFile)
            line.Append($" {status.Size} {ContentDigest(path)}");
        else if (!isDirectory)
            line.Append($" {status.RawMajor},{status.RawMinor}");
        if (details.HasFlag(SnapshotDetails.FileTimes) && isFile)
            line.Append($" mtime={status.ModifiedSeconds}.{status.ModifiedNanoseconds}");
        if (details.HasFlag(SnapshotDetails.LinkCounts) && !isDirectory)
            line.Append($" nlink={status.LinkCount}");
        if (details.HasFlag(SnapshotDetails.Xattrs))
        {
            foreach ((string xattr, byte[] value) in Native.Xattrs(path))
                line.Append($" {xattr}={(value.Length > 40 ? Convert.ToHexString(SHA256.HashData(value)) : Convert.ToHexString(value))}");
        }

        lines.Add(name, line.ToString());
        if (!isDirectory)
            return;
        foreach (string child in Directory.EnumerateFileSystemEntries(path))
            Add(child, name + "/" + Path.GetFileName(child), details, lines);
    }

    private static string ContentDigest(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(file))[..16];
    }
}
