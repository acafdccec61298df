using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>What verbs that make something new sign it with.</summary>
internal static class SigningOptions
{
    public static readonly Option<string[]> GpgKeys = Opts.Many("--gpg-sign", "KEY-ID", "GPG Key ID to sign with");
    public static readonly Option<string?> GpgHome = Opts.Value("--gpg-homedir", "HOMEDIR", "GPG Homedir to use when looking for keyrings");
    public static readonly Option<string[]> Keys = Opts.Many("--sign", "KEY-ID", "Key to sign with");
    public static readonly Option<string[]> KeyFiles = Opts.Many("--sign-from-file", "PATH", "Sign with the keys in the file");
    public static readonly Option<string?> Type = Opts.Value("--sign-type", "NAME", "Signature type to use (defaults to 'ed25519')");

    /// <summary>The kind that is asked for.</summary>
    /// <exception cref="RepositoryException">There is no such kind.</exception>
    public static SignatureType TypeOf(OstreeCall call) => SignatureType.Named(call.Get(Type) ?? SignatureType.Ed25519.Name);

    /// <summary>Reads all keys, so that a wrong one is told before anything is done.</summary>
    public static SigningKeys Read(OstreeCall call)
    {
        string[] keys = call.Get(Keys) ?? [], files = call.Get(KeyFiles) ?? [];
        List<Signer> signers = [];
        if (keys.Length > 0 || files.Length > 0)
        {
            SignatureType type = TypeOf(call);
            signers.AddRange(keys.Select(key => Signer.FromText(type, key)));
            signers.AddRange(files.SelectMany(file => Signer.FromFile(type, file)));
        }
        return new SigningKeys(signers, [.. (call.Get(GpgKeys) ?? []).Select(key => GpgSigner.Find(key, call.Get(GpgHome)))]);
    }
}
