using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Images of commits for composefs: all of a tree but its files' contents, which stay in <c>objects/</c>. The image's fs-verity digest
/// vouches for the whole tree; a commit that names it in its metadata, and is signed, makes a system that starts only with what was signed.
/// </summary>
public static class Composefs
{
    /// <summary>The commit metadata, an <c>ay</c> of 32 bytes, that names the fs-verity digest of the image of a commit's tree.</summary>
    public const string DigestKey = "ostree.composefs.digest.v0";

    /// <summary>Writes the image of a commit's tree as a file that any may read, over what has its name.</summary>
    /// <returns>The image's fs-verity digest.</returns>
    /// <exception cref="RepositoryException">An object is missing or damaged, the image is not the one that the commit names, or it cannot be written.</exception>
    public static Checksum Write(Repo repo, Checksum commit, LinuxDirectory directory, string name, ComposefsVerity verity = ComposefsVerity.All,
        CancellationToken cancellation = default)
    {
        Commit value = repo.ReadCommit(commit);
        try
        {
            using TemporaryFile file = directory.CreateTemporaryFile();
            Checksum digest;
            using (var output = new BufferedHandleStream(file.Handle))
            {
                digest = ComposefsTree.Write(repo, value.RootTree, value.RootMeta, verity, output, cancellation);
                output.Flush();
            }
            if (verity == ComposefsVerity.All)
                Check(value, digest);
            Files.SetMode(file.Handle, 0x1A4);
            repo.Protect(file);
            file.ReplaceAs(directory, name);
            return digest;
        }
        catch (LinuxException e)
        {
            throw new RepositoryException("Writing composefs", e);
        }
    }

    /// <summary>The fs-verity digest of the image that a tree has, with the digests of all its files.</summary>
    /// <exception cref="RepositoryException">An object is missing or damaged, or has what no image can hold.</exception>
    public static Checksum ComputeDigest(Repo repo, Checksum tree, Checksum meta, CancellationToken cancellation = default) =>
        ComposefsTree.Write(repo, tree, meta, ComposefsVerity.All, null, cancellation);

    /// <summary>The digest of its image that a commit's metadata names; null if it names none.</summary>
    /// <exception cref="RepositoryException">What is there has no digest's length.</exception>
    public static Checksum? ReadDigest(Commit commit)
    {
        if (commit.Metadata.Lookup(DigestKey) is not { Type: "ay" } named)
            return null;
        ReadOnlyMemory<byte> bytes = named.AsBytes();
        return bytes.Length == Checksum.Size ? Checksum.FromBytes(bytes.Span) : throw new RepositoryException("Expected composefs fs-verity in metadata has the wrong size");
    }

    private static void Check(Commit commit, Checksum actual)
    {
        if (ReadDigest(commit) is { } expected && expected != actual)
            throw new RepositoryException($"Generated composefs image digest ({actual}) doesn't match expected digest ({expected})");
    }
}
