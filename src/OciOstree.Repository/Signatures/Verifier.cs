using System.Runtime.InteropServices;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>Public keys of one kind that are trusted, less those that are revoked.</summary>
public sealed class Verifier(SignatureType type)
{
    // libostree names the keys that it tried, unless they are more.
    private const int MaxNamed = 3;

    // Each is tried with every key; who signs with more keys than this is after our time.
    private const int MaxSignatures = 1000;

    private readonly List<byte[]> trusted = [], revoked = [];

    public SignatureType Type => type;

    /// <summary>Trusts a key as it is given on a command line or in a remote's options.</summary>
    /// <exception cref="RepositoryException">It is none.</exception>
    public Verifier AddKey(string key)
    {
        if (type == SignatureType.Dummy)
            trusted.Clear();
        Add(trusted, type.ParseKey(key));
        return this;
    }

    /// <summary>Trusts the keys of a file.</summary>
    /// <exception cref="RepositoryException">The file cannot be read, or has no key.</exception>
    public Verifier AddFile(string path)
    {
        AddFile(trusted, path);
        return this;
    }

    /// <summary>
    /// Trusts the keys of <c>trusted.TYPE</c> and <c>trusted.TYPE.d</c> in <c>/etc/ostree</c> and <c>/usr/share/ostree</c>, but none that is in
    /// <c>revoked.TYPE</c> or <c>revoked.TYPE.d</c>. Files that hold no keys are passed over.
    /// </summary>
    /// <param name="baseDirectory">Instead of both directories.</param>
    /// <exception cref="RepositoryException">No key is trusted.</exception>
    public Verifier AddWellKnown(string? baseDirectory = null)
    {
        bool any = false;
        foreach (string file in KeyFiles.WellKnown(type, "trusted", baseDirectory))
            any |= TryAddFile(trusted, file);
        foreach (string file in KeyFiles.WellKnown(type, "revoked", baseDirectory))
            TryAddFile(revoked, file);
        return any ? this : throw new RepositoryException($"signature: {type.Name}: no keys loaded");
    }

    /// <summary>Passes if one of the signatures is a trusted key's. Where no keys were added, the well-known ones are.</summary>
    /// <param name="metadata">An <c>a{sv}</c> that holds the signatures under their kind's key.</param>
    /// <returns>Who signed, in libostree's words.</returns>
    /// <exception cref="RepositoryException">None of them is, or they are malformed.</exception>
    public string VerifyMetadata(ReadOnlySpan<byte> data, Variant? metadata) => Verify(data, type.Signatures(metadata));

    /// <inheritdoc cref="VerifyMetadata"/>
    /// <param name="signatures">An <c>aay</c>.</param>
    public string Verify(ReadOnlySpan<byte> data, Variant? signatures)
    {
        if (type == SignatureType.Dummy)
            DummyType.CheckEnabled();
        string prefix = type == SignatureType.Dummy ? "signature: dummy" : type.Name;
        if (signatures is null)
            throw new RepositoryException($"{prefix}: commit have no signatures of my type");
        if (signatures.Type != "aay")
            throw new RepositoryException($"{prefix}: wrong type passed for verification");
        if (signatures.Count > MaxSignatures)
            throw new RepositoryException($"{prefix}: {signatures.Count} signatures are too many");
        if (trusted.Count == 0 && type != SignatureType.Dummy)
            AddWellKnown();
        List<byte[]> tried = [];
        int wrong = 0;
        for (int i = 0; i < signatures.Count; i++)
        {
            ReadOnlySpan<byte> signature = signatures[i].AsBytes().Span;
            foreach (byte[] key in trusted)
            {
                if (Contains(revoked, key))
                    continue;
                if (type.Verify(key, data, signature))
                    return type == SignatureType.Dummy ? "dummy: Signature verified" : $"{prefix}: Signature verified successfully with key '{Convert.ToHexStringLower(key)}'";
                if (wrong++ < MaxNamed)
                    tried.Add(key);
            }
        }
        if (type == SignatureType.Dummy)
            throw new RepositoryException(signatures.Count > 0 ? $"{prefix}: incorrect signatures found: {signatures.Count}" : $"{prefix}: no signatures");
        throw new RepositoryException(wrong == 0 ? $"{prefix}: no signatures found"
            : wrong > MaxNamed ? $"{prefix}: Signature couldn't be verified; tried {wrong} keys"
            : $"{prefix}: Signature couldn't be verified with: {string.Join("; ", tried.Select(key => $"key '{Convert.ToHexStringLower(key)}'"))}");
    }

    private void Add(List<byte[]> keys, byte[] key)
    {
        type.CheckPublicKey(key);
        // Who was added last is tried first.
        if (!Contains(keys, key))
            keys.Insert(0, key);
    }

    private void AddFile(List<byte[]> keys, string path)
    {
        RepositoryException? first = null;
        bool any = false;
        foreach (byte[] key in type.ParseKeyFile(KeyFiles.Read(path), secret: false))
        {
            try
            {
                Add(keys, key);
                any = true;
            }
            catch (RepositoryException e)
            {
                first ??= e;
            }
        }
        if (any)
            return;
        string message = $"signature: {type.Name}: no valid keys in file '{path}'";
        throw first is null ? new RepositoryException(message) : new RepositoryException(message, first);
    }

    private bool TryAddFile(List<byte[]> keys, string path)
    {
        try
        {
            AddFile(keys, path);
            return true;
        }
        catch (RepositoryException)
        {
            // libostree goes on with the files that are sound; without any it fails.
            return false;
        }
    }

    private static bool Contains(List<byte[]> keys, ReadOnlySpan<byte> key)
    {
        foreach (byte[] known in CollectionsMarshal.AsSpan(keys))
            if (key.SequenceEqual(known))
                return true;
        return false;
    }
}
