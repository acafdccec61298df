using System.Collections.Concurrent;
using System.Security.Cryptography;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>Gives every file of a commit a signature that the kernel can check when it is used.</summary>
public static class ImaSignature
{
    private static ReadOnlySpan<byte> XattrName => "security.ima"u8;

    /// <summary>Writes a commit like another one, with its metadata, parent and time, whose regular files are signed.</summary>
    /// <param name="overwrite">Whether files that have a signature get a new one.</param>
    /// <returns>The new commit; no ref leads to it yet.</returns>
    public static Checksum Sign(RepoTransaction transaction, Checksum commit, ImaKey key, HashAlgorithmName algorithm, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        var repo = transaction.Repo;
        var content = CommitContent.Read(repo, commit, cancellationToken);
        ConcurrentDictionary<Checksum, Checksum> signed = [];
        var files = content.Objects.Where(item => item.SymlinkTarget is null).ToArray();
        BoundedWork.Run(files.Length, Environment.ProcessorCount, (index, token) =>
        {
            token.ThrowIfCancellationRequested();
            var checksum = files[index].Checksum;
            if (SignFile(transaction, checksum, key, algorithm, overwrite) is { } other)
            {
                signed[checksum] = other;
            }
        }, cancellationToken);

        Dictionary<Checksum, Checksum> trees = [];
        return transaction.WriteCommit(content.Commit with { RootTree = Rewrite(content.Commit.RootTree) });

        Checksum Rewrite(Checksum tree)
        {
            if (!trees.TryGetValue(tree, out var rewritten))
            {
                var old = repo.ReadDirTree(tree);
                rewritten = transaction.WriteDirTree(DirTree.From(
                    old.Files.Select(file => signed.TryGetValue(file.Checksum, out var other) ? file with { Checksum = other } : file),
                    old.Directories.Select(directory => directory with { Tree = Rewrite(directory.Tree) })));
                trees.Add(tree, rewritten);
            }

            return rewritten;
        }
    }

    /// <returns>The signed object; null if the file has a signature that stays.</returns>
    private static Checksum? SignFile(RepoTransaction transaction, Checksum checksum, ImaKey key, HashAlgorithmName algorithm, bool overwrite)
    {
        byte[] signature;
        FileHeader header;
        using (var file = transaction.Repo.OpenFile(checksum))
        {
            header = file.Header;
            if (!overwrite && header.Xattrs.Items.Any(IsSignature))
            {
                return null;
            }

            signature = key.Sign(file.Content, algorithm);
        }

        using var again = transaction.Repo.OpenFile(checksum);
        var xattrs = XattrSet.From([.. header.Xattrs.Items.Where(xattr => !IsSignature(xattr)), new Xattr(XattrName.ToArray(), signature)]);
        return transaction.WriteFile(header with { Xattrs = xattrs }, again.Size, again.Content);
    }

    private static bool IsSignature(Xattr xattr) => xattr.Name.AsSpan().SequenceEqual(XattrName);
}
