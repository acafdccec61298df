using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class GpgSignCommand
{
    public static Command Create()
    {
        var delete = Opts.Flag("--delete", "Delete signatures having any of the GPG KEY-IDs", "-d");
        return new OstreeVerb("gpg-sign", "Sign a commit", "COMMIT KEY-ID...", "ostree gpg-sign --repo=/srv/repo main 7FCA23D8472CDAFA") { delete, SigningOptions.GpgHome }.Does((OstreeCall call) =>
        {
            call.Need(1, "Need a COMMIT to sign");
            call.Need(2, "Need at least one GPG KEY-ID to sign with");
            Checksum commit = call.Repo.ResolveRequired(call.Words[0]);
            string[] keyIds = call.Words.Skip(1).ToArray();
            string? home = call.Get(SigningOptions.GpgHome);
            if (call.Get(delete))
                call.Print($"Signatures deleted: {CommitSignatures.Delete(call.Repo, commit, GpgKeyring.Everybody(call.Repo, home), keyIds)}");
            else
                CommitSignatures.Sign(call.Repo, commit, keyIds.Select(id => GpgSigner.Find(id, home)).ToArray());
        });
    }
}
