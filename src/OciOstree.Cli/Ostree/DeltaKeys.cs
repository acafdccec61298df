using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>The options and words that say whose signature of a delta is trusted.</summary>
internal sealed class DeltaKeys
{
    public Option<string?> Type { get; } = Opts.Value("--sign-type", "NAME", "Signature type to use (defaults to 'ed25519')");

    public Option<string?> File { get; } = Opts.Value("--keys-file", "NAME", "Read key(s) from file");

    public Option<string?> Directory { get; } = Opts.Value("--keys-dir", "NAME", "Redefine system-wide directories with public and revoked keys for verification");

    /// <summary>The keys after the first word, those of a file, and where neither is given the well-known ones.</summary>
    /// <exception cref="RepositoryException">There are none, or they are no keys.</exception>
    public Verifier Verifier(OstreeCall call)
    {
        Verifier verifier = Named(call);
        return IsNamed(call) ? verifier : verifier.AddWellKnown(call.Get(Directory));
    }

    /// <summary>As <see cref="Verifier"/>; null if nobody named keys and the machine has none.</summary>
    public Verifier? TryVerifier(OstreeCall call)
    {
        Verifier verifier = Named(call);
        if (IsNamed(call))
            return verifier;
        try
        {
            return verifier.AddWellKnown(call.Get(Directory));
        }
        catch (RepositoryException) when (!call.Has(Directory))
        {
            return null;
        }
    }

    private bool IsNamed(OstreeCall call) => call.Words.Count > 1 || call.Has(File);

    private Verifier Named(OstreeCall call)
    {
        Verifier verifier = new(SignatureType.Named(call.Get(Type) ?? "ed25519"));
        foreach (string key in call.Words.Skip(1))
            verifier.AddKey(key);
        return call.Get(File) is { } file ? verifier.AddFile(file) : verifier;
    }
}
