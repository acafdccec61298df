using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>A content object of a commit, and everywhere that it stands in the tree.</summary>
/// <param name="Checksum">Of the object.</param>
/// <param name="Size">Bytes of content; 0 for a symbolic link.</param>
/// <param name="SymlinkTarget">Null for a regular file.</param>
/// <param name="Paths">In the tree's order, without a leading slash: <c>usr/etc/passwd</c>. At least one.</param>
public sealed record ContentObject(Checksum Checksum, long Size, string? SymlinkTarget, IReadOnlyList<ContentPath> Paths);

/// <summary>A path in two parts: many files share a directory's string.</summary>
/// <param name="Directory">Without slashes at its ends; empty for the root.</param>
public readonly record struct ContentPath(string Directory, string Name)
{
    public override string ToString() => Directory.Length == 0 ? Name : $"{Directory}/{Name}";
}
