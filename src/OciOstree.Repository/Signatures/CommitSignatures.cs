using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>The signatures of commits that are in the repository; they are in the commits' detached metadata.</summary>
public static class CommitSignatures
{
    /// <summary>Adds a signature by each key.</summary>
    public static void Sign(Repo repo, Checksum commit, IEnumerable<Signer> signers)
    {
        byte[] data = Data(repo, commit);
        Variant? metadata = repo.ReadCommitMeta(commit);
        foreach (Signer signer in signers)
            metadata = signer.AddTo(metadata, data);
        Write(repo, commit, metadata);
    }

    /// <summary>Adds an OpenPGP signature by each key.</summary>
    /// <exception cref="RepositoryException">A key has signed this commit already, or does not sign.</exception>
    public static void Sign(Repo repo, Checksum commit, IEnumerable<GpgSigner> signers)
    {
        byte[] data = Data(repo, commit);
        foreach (GpgSigner signer in signers)
            Write(repo, commit, signer.AddTo(repo.ReadCommitMeta(commit), data, onlyOnce: true));
    }

    /// <summary>Passes if a signature is by a key that is trusted.</summary>
    /// <returns>Who signed, in libostree's words.</returns>
    /// <exception cref="RepositoryException">None is.</exception>
    public static string Verify(Repo repo, Checksum commit, Verifier verifier) => verifier.VerifyMetadata(Data(repo, commit), repo.ReadCommitMeta(commit));

    /// <summary>What gpg finds of the OpenPGP signatures; null if there are none at all.</summary>
    /// <param name="keys">The keys that are known.</param>
    public static IReadOnlyList<GpgSignature>? Inspect(Repo repo, Checksum commit, GpgKeyring keys) =>
        GpgVerifier.Signatures(repo.ReadCommitMeta(commit)) is { } signatures ? GpgVerifier.Check(keys, Data(repo, commit), signatures, withKeys: true) : null;

    /// <summary>Takes away the OpenPGP signatures by some keys.</summary>
    /// <param name="keys">The keys that are known; signatures by others cannot be told apart.</param>
    /// <param name="keyIds">As gpg takes them.</param>
    /// <returns>How many there were.</returns>
    public static int Delete(Repo repo, Checksum commit, GpgKeyring keys, IEnumerable<string> keyIds)
    {
        Variant? metadata = repo.ReadCommitMeta(commit);
        if (GpgVerifier.Signatures(metadata) is not { Count: > 0 } signatures)
            return 0;
        IReadOnlyList<GpgSignature> found = GpgVerifier.Check(keys, Data(repo, commit), signatures, withKeys: false);
        HashSet<int> doomed = [];
        foreach (string id in keyIds)
            foreach (GpgKey key in keys.List(id))
                doomed.UnionWith(Enumerable.Range(0, found.Count).Where(i => key.Find(found[i].Fingerprint) is not null));
        if (doomed.Count == 0)
            return 0;
        List<Variant> left = [];
        int at = 0, deleted = 0;
        foreach (Variant signature in signatures.Children)
        {
            // Usually one entry is one packet; of an entry with more it goes whole.
            int packets = OpenPgp.CountSignatures(OpenPgp.Dearmor(signature.AsBytes().ToArray()));
            if (Enumerable.Range(at, packets).Any(doomed.Contains))
                deleted++;
            else
                left.Add(signature);
            at += packets;
        }
        Write(repo, commit, SignatureList.With(metadata, GpgVerifier.SignaturesKey, left));
        return deleted;
    }

    /// <summary>Takes away the signatures by some keys.</summary>
    /// <param name="keys">Their public keys.</param>
    /// <returns>How many there were.</returns>
    public static int Delete(Repo repo, Checksum commit, IEnumerable<Verifier> keys)
    {
        byte[] data = Data(repo, commit);
        Variant? metadata = repo.ReadCommitMeta(commit);
        int deleted = 0;
        foreach (Verifier key in keys)
        {
            if (key.Type.Signatures(metadata) is not { } signatures)
                continue;
            Variant[] left = signatures.Children.Where(signature => !Passes(key, data, signature)).ToArray();
            deleted += signatures.Count - left.Length;
            metadata = SignatureList.With(metadata, key.Type.MetadataKey, left);
        }
        if (deleted > 0)
            Write(repo, commit, metadata);
        return deleted;
    }

    private static bool Passes(Verifier key, byte[] data, Variant signature)
    {
        try
        {
            key.Verify(data, Variant.Array("ay", [signature]));
            return true;
        }
        catch (RepositoryException)
        {
            return false; // Somebody else's.
        }
    }

    private static byte[] Data(Repo repo, Checksum commit) => repo.ReadMetadata(new ObjectName(commit, ObjectType.Commit)).ToArray();

    private static void Write(Repo repo, Checksum commit, Variant? metadata)
    {
        using RepoTransaction transaction = repo.BeginTransaction();
        transaction.WriteCommitMeta(commit, metadata);
        transaction.Commit();
    }
}
