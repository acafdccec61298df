using System.CommandLine;
using OciOstree.Container;
using OciOstree.Linux;

namespace OciOstree.Cli.Container;

/// <summary><c>ima-sign</c>: a commit whose files the kernel can verify.</summary>
internal static class ImaSignCommand
{
    public static Command Create()
    {
        var source = Opts.Required("SRC_REV", "The ostree ref or commit to use as a base");
        var target = Opts.Required("TARGET_REF", "The ostree ref to use for writing the signed commit");
        var algorithm = Opts.Required("ALGORITHM", "Digest algorithm: sha1, sha256, sha384 or sha512");
        var key = Opts.Required("KEY", "Path to IMA key: a private key in PEM, RSA or elliptic");
        var overwrite = Opts.Flag("--overwrite", "Overwrite any existing signatures");
        var json = Opts.Flag("--json", "Print the signed commit as JSON");
        algorithm.CompletionSources.Add("sha1", "sha256", "sha384", "sha512");
        return new Verb("ima-sign", "Add IMA signatures to an ostree commit, generating a new commit", "oci-ostree ima-sign --repo=repo os/stable os/signed sha256 ima.key")
        {
            source, target, algorithm, key, overwrite, json,
        }.Does(parsed =>
        {
            using var repo = StoreCommands.OpenRepo(parsed);
            var hash = ImaKey.ParseAlgorithm(parsed.GetValue(algorithm)!);
            using var signer = ImaKey.FromPem(System.Text.Encoding.UTF8.GetString(Files.ReadNamed(parsed.GetValue(key)!)));
            var name = parsed.GetValue(target)!;
            using var transaction = repo.BeginTransaction();
            var commit = ImaSignature.Sign(transaction, repo.ResolveRequired(parsed.GetValue(source)!), signer, hash, parsed.GetValue(overwrite), Entry.Cancellation);
            transaction.SetRef(name, commit);
            transaction.Commit();
            if (parsed.GetValue(json))
            {
                Output.Json(new ImportedCommit(commit.ToString(), name), ImageJsonContext.Default.ImportedCommit);
                return;
            }

            Console.Out.WriteLine($"{name} => {commit}");
        });
    }
}
