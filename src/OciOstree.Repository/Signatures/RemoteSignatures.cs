using System.Text;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>
/// What a remote's options want signed, and by whom: <c>gpg-verify</c> and <c>gpg-verify-summary</c> with the remote's OpenPGP keys,
/// <c>sign-verify</c> and <c>sign-verify-summary</c> with the keys of <c>verification-TYPE-key</c> and <c>-file</c>. What both kinds want must pass both.
/// </summary>
public sealed class RemoteSignatures
{
    private readonly Repo repo;
    private readonly Remote remote;
    private readonly bool gpgCommits, gpgSummary;
    private readonly IReadOnlyList<Verifier>? commitVerifiers, summaryVerifiers;

    private RemoteSignatures(Repo repo, Remote remote)
    {
        (this.repo, this.remote) = (repo, remote);
        (gpgCommits, gpgSummary) = (remote.VerifiesCommits, remote.VerifiesSummary);
        commitVerifiers = Verifiers("sign-verify");
        summaryVerifiers = Verifiers("sign-verify-summary");
    }

    /// <exception cref="RepositoryException">An option cannot be read, or a key that it names.</exception>
    public static RemoteSignatures Of(Repo repo, Remote remote) => new(repo, remote);

    /// <summary>OpenPGP signatures alone, as far as asked for, by the keys of a remote: what comes from a repository on this machine need not be signed otherwise.</summary>
    /// <exception cref="RepositoryException">There is no such remote.</exception>
    public static RemoteSignatures OpenPgpOnly(Repo repo, string remote, bool commits, bool summary) =>
        new(repo, Remote.Find(repo, remote).With(elsewhere: false, ("gpg-verify", commits ? "true" : "false"), ("gpg-verify-summary", summary ? "true" : "false"), ("sign-verify", "false"), ("sign-verify-summary", "false")));

    /// <summary>Whether commits must be signed.</summary>
    public bool CoverCommits => gpgCommits || commitVerifiers is not null;

    /// <summary>Whether the summary must be signed.</summary>
    public bool CoverSummary => gpgSummary || summaryVerifiers is not null;

    /// <summary>Passes if the commit is signed as it must be.</summary>
    /// <param name="metadata">The commit's detached metadata; null is none.</param>
    /// <exception cref="RepositoryException">It is not.</exception>
    public void VerifyCommit(Checksum checksum, ReadOnlySpan<byte> bytes, Variant? metadata)
    {
        if (gpgCommits)
        {
            try
            {
                GpgVerifier.Verify(repo, remote, bytes, metadata);
            }
            catch (RepositoryException e)
            {
                throw new RepositoryException($"Commit {checksum}", e);
            }
        }
        if (commitVerifiers is not null)
            VerifyCommitWith(commitVerifiers, bytes, metadata);
    }

    /// <summary>As <see cref="VerifyCommit"/>, for commits from somewhere else: that nothing need be signed is a failure, too.</summary>
    /// <returns>Who signed, in libostree's words.</returns>
    public string DescribeCommit(ReadOnlySpan<byte> bytes, Variant? metadata)
    {
        if (!CoverCommits)
            throw new RepositoryException($"Cannot verify commit for remote {remote.Name}; GPG verification disabled, and no signapi verifiers configured");
        if (metadata is null)
            throw new RepositoryException("Can't verify commit without detached metadata");
        var text = new StringBuilder();
        if (gpgCommits)
            foreach (GpgSignature signature in GpgVerifier.VerifyAll(repo, remote, bytes, metadata))
                signature.Describe(text, "GPG: ");
        if (commitVerifiers is not null)
            text.Append(VerifyCommitWith(commitVerifiers, bytes, metadata)).Append('\n');
        return text.ToString().TrimEnd();
    }

    /// <summary>Passes if the summary is signed as it must be.</summary>
    /// <param name="signature">The content of <c>summary.sig</c>; null is none.</param>
    /// <exception cref="RepositoryException">It is not.</exception>
    public void VerifySummary(byte[]? summary, byte[]? signature)
    {
        if (!CoverSummary)
            return;
        string kind = gpgSummary ? "GPG verification" : "Signatures verification", option = gpgSummary ? "gpg-verify-summary" : "sign-verify-summary";
        if (summary is null)
            throw new RepositoryException($"{kind} enabled, but no summary found (use {option}=false in remote config to disable)");
        if (signature is null)
            throw new RepositoryException($"{kind} enabled, but no summary.sig found (use {option}=false in remote config to disable)");
        Variant metadata = Variant.FromBytes("a{sv}", signature);
        if (gpgSummary)
            GpgVerifier.Verify(repo, remote, summary, metadata);
        if (summaryVerifiers is not null)
            VerifyWith(summaryVerifiers, summary, metadata);
    }

    private static string VerifyCommitWith(IReadOnlyList<Verifier> verifiers, ReadOnlySpan<byte> bytes, Variant? metadata)
    {
        if (metadata is null)
            throw new RepositoryException("Can't verify commit without detached metadata");
        try
        {
            return VerifyWith(verifiers, bytes, metadata);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException("Can't verify commit", e);
        }
    }

    // One kind of signature is enough; the first complaint is the one to tell.
    private static string VerifyWith(IReadOnlyList<Verifier> verifiers, ReadOnlySpan<byte> data, Variant metadata)
    {
        RepositoryException? first = null;
        int refused = 0;
        foreach (Verifier verifier in verifiers)
        {
            if (verifier.Type.Signatures(metadata) is not { } signatures)
                continue;
            try
            {
                return verifier.Verify(data, signatures);
            }
            catch (RepositoryException e)
            {
                first ??= e;
                refused++;
            }
        }
        throw first is null ? new RepositoryException("No signatures found")
            : refused > 1 ? new RepositoryException($"({refused - 1} other invalid signatures)", first) : first;
    }

    // "true" is any kind, of which those without keys of the remote's take the system's; else it is a list of kinds.
    private List<Verifier>? Verifiers(string option)
    {
        if (remote.Get(option) is not { Length: > 0 } value || value is "false" or "0")
            return null;
        if (value is "true" or "1")
            return [.. SignatureType.All.Select(type => WithKeys(new Verifier(type), required: false))];
        return [.. value.Split([',', ';'], StringSplitOptions.RemoveEmptyEntries).Select(name => WithKeys(new Verifier(SignatureType.Named(name)), required: true))];
    }

    private Verifier WithKeys(Verifier verifier, bool required)
    {
        string type = verifier.Type.Name;
        string? file = remote.Get($"verification-{type}-file"), key = remote.Get($"verification-{type}-key");
        if (required && file is null && key is null)
            throw new RepositoryException($"No keys found for required signapi type {type}");
        try
        {
            if (file is not null)
                verifier.AddFile(file);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Failed loading '{type}' keys from '{file}'", e);
        }
        try
        {
            if (key is not null)
                verifier.AddKey(key);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Failed loading '{type}' keys from inline `verification-key`", e);
        }
        return verifier;
    }
}
