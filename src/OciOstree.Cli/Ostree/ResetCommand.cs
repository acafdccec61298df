using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class ResetCommand
{
    public static Command Create() =>
        new OstreeVerb("reset", "Reset a REF to a previous COMMIT", "REF COMMIT", "ostree reset --repo=/srv/repo main main^").Does((OstreeCall call) =>
        {
            call.Need(2, "A REF and COMMIT argument is required");
            if (!call.Repo.ListRefs().ContainsKey(call.Words[0]))
                throw new RepositoryException($"Invalid ref '{call.Words[0]}'");
            Checksum target = call.Repo.ResolveRequired(call.Words[1]);
            using RepoTransaction transaction = call.Repo.BeginTransaction();
            transaction.SetRef(call.Words[0], target);
            transaction.Commit();
        });
}
