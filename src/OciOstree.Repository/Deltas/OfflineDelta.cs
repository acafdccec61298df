using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A static delta in a directory or, with its parts inlined, in one file: how updates travel without a network.</summary>
public static class OfflineDelta
{
    /// <summary>Brings the commit that a delta leads to; no ref is moved. If anything is amiss the repository is as it was.</summary>
    /// <param name="path">The delta's directory or its superblock; parts that are not inlined lie beside it.</param>
    /// <param name="verifier">Whose signature a signed delta must have. With <c>core.sign-verify-deltas</c> a delta must be signed, and this given.</param>
    /// <exception cref="RepositoryException">The delta is not to be trusted, is damaged, starts from a commit that is not here, or needs a server.</exception>
    public static TransactionStats Apply(Repo repo, string path, Verifier? verifier = null, CancellationToken cancellation = default)
    {
        try
        {
            (LinuxDirectory directory, string file) = Locate(path);
            using (directory)
            {
                using SafeFileHandle handle = directory.OpenFile(file, OpenFlags.ReadOnly);
                using MappedFile bytes = new(handle, file);
                DeltaSuperblock superblock = DeltaSuperblock.Parse(bytes.Memory);
                CheckSignature(repo, superblock, verifier);
                return Apply(repo, directory, superblock, cancellation);
            }
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"Applying static delta '{path}'", e);
        }
    }

    private static void CheckSignature(Repo repo, DeltaSuperblock superblock, Verifier? verifier)
    {
        // Whoever takes the signatures off must not get past those who want them.
        if (repo.Config.GetBoolean("core", "sign-verify-deltas") == true && (superblock.Signatures is null || verifier is null))
            throw new RepositoryException(superblock.Signatures is null ? "The delta is not signed, and core.sign-verify-deltas wants signed ones" : "Key is mandatory to check delta signature");
        if (superblock.Signatures is not null && verifier is not null)
            superblock.Verify(verifier);
    }

    /// <summary>The directory of a delta that is given by it or by its superblock, and the superblock's name in it.</summary>
    internal static (LinuxDirectory Directory, string File) Locate(string path)
    {
        if (Files.TryStatus(path) is not { IsDirectory: false })
            return (LinuxDirectory.Open(path), "superblock");
        string full = Path.GetFullPath(path);
        return (LinuxDirectory.Open(Path.GetDirectoryName(full)!), Path.GetFileName(full));
    }

    private static TransactionStats Apply(Repo repo, LinuxDirectory directory, DeltaSuperblock superblock, CancellationToken cancellation)
    {
        (Checksum? from, Checksum to) = superblock.Name;
        if (from is { } source && !repo.HasObject(new ObjectName(source, ObjectType.Commit)))
            throw new RepositoryException($"Commit {source}, which is the delta source, is not in repository");
        if (superblock.Fallbacks.Count > 0)
            throw new RepositoryException("Cannot execute delta offline: contains nonempty http fallback entries");
        using RepoTransaction transaction = repo.BeginTransaction();
        DeltaRun run = new(transaction, cancellation);
        for (int i = 0; i < superblock.Parts.Count; i++)
        {
            DeltaPartHeader header = superblock.Parts[i];
            if (run.HasAll(header))
                continue;
            try
            {
                if (superblock.InlinePart(i) is { } inline)
                {
                    run.RunInline(header, inline);
                }
                else
                {
                    using SafeFileHandle part = directory.OpenFile(i.ToString(System.Globalization.CultureInfo.InvariantCulture), OpenFlags.ReadOnly);
                    run.RunFile(header, part);
                }
            }
            catch (Exception e) when (e is RepositoryException or LinuxException)
            {
                throw new RepositoryException($"Executing delta part {i}", e);
            }
        }
        WriteCommit(transaction, superblock);
        return transaction.Commit();
    }

    private static void WriteCommit(RepoTransaction transaction, DeltaSuperblock superblock)
    {
        Repo repo = transaction.Repo;
        Checksum to = superblock.Name.To;
        if (!transaction.HasObject(new ObjectName(to, ObjectType.Commit)))
        {
            transaction.WriteMetadata(ObjectType.Commit, superblock.CommitBytes.Span, to);
            if (superblock.CommitMeta is { } detached)
                transaction.WriteCommitMeta(to, detached);
        }
        // A delta that leaves something out would otherwise leave a commit that looks whole.
        foreach (ObjectName name in repo.Traverse(to))
            if (!transaction.HasObject(name))
                throw new RepositoryException($"Static delta {superblock.Name} does not bring object {name}, which is not here either");
        transaction.MarkPartial(to, false);
    }
}
