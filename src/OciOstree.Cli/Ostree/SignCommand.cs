using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class SignCommand
{
    public static Command Create()
    {
        var delete = Opts.Flag("--delete", "Delete signatures having any of the KEY-IDs", "-d");
        var verify = Opts.Flag("--verify", "Verify signatures");
        var type = Opts.Value("--sign-type", "NAME", "Signature type to use (defaults to 'ed25519')", "-s");
        var keysFile = Opts.Value("--keys-file", "NAME", "Read keys from file");
        var keysDir = Opts.Value("--keys-dir", "NAME", "Redefine system-wide directories with public and revoked keys for verification");
        return new OstreeVerb("sign", "Sign a commit", "COMMIT KEY-ID...",
            "ostree sign --repo=/srv/repo --keys-file=secret.key main", "ostree sign --repo=/srv/repo --verify --keys-file=public.key main") { delete, verify, type, keysFile, keysDir }.Does((OstreeCall call) =>
        {
            call.Need(1, "Need a COMMIT to sign or verify");
            string[] keys = call.Words.Skip(1).ToArray();
            if (!call.Get(verify) && call.Get(keysFile) is null && keys.Length == 0)
                throw new UsageException("Need at least one KEY-ID to sign with", withHelp: true);
            Checksum commit = call.Repo.ResolveRequired(call.Words[0]);
            SignatureType kind = SignatureType.Named(call.Get(type) ?? SignatureType.Ed25519.Name);
            if (call.Get(delete))
                CommitSignatures.Delete(call.Repo, commit, PublicKeys(kind, keys, call.Get(keysFile)));
            else if (call.Get(verify))
                call.Print(Verify(call, commit, kind, keys, call.Get(keysFile), call.Get(keysDir)));
            else
                CommitSignatures.Sign(call.Repo, commit, SecretKeys(kind, keys, call.Get(keysFile)).ToArray());
        });
    }

    private static IEnumerable<Signer> SecretKeys(SignatureType kind, string[] keys, string? file) =>
        keys.Select(key => Signer.FromText(kind, key)).Concat(file is null ? [] : Signer.FromFile(kind, file));

    private static IEnumerable<Verifier> PublicKeys(SignatureType kind, string[] keys, string? file)
    {
        foreach (string key in keys)
            yield return new Verifier(kind).AddKey(key);
        if (file is not null)
            yield return new Verifier(kind).AddFile(file);
    }

    // Each key given is tried; then those of the file, or of the system where nothing is given.
    private static string Verify(OstreeCall call, Checksum commit, SignatureType kind, string[] keys, string? file, string? directory)
    {
        foreach (string key in keys)
        {
            try
            {
                return CommitSignatures.Verify(call.Repo, commit, new Verifier(kind).AddKey(key));
            }
            catch (RepositoryException)
            {
                // Another of the keys may have signed it.
                continue;
            }
        }
        if (keys.Length > 0 && file is null)
            throw new RepositoryException("No valid signatures found");
        Verifier verifier = new(kind);
        return CommitSignatures.Verify(call.Repo, commit, file is not null ? verifier.AddFile(file) : verifier.AddWellKnown(directory));
    }
}
