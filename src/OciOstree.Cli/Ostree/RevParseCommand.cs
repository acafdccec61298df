using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class RevParseCommand
{
    public static Command Create()
    {
        var single = Opts.Flag("--single", "If the repository has exactly one commit, then print it; any other case will result in an error", "-S");
        return new OstreeVerb("rev-parse", "Output the target of a rev", "REV", "ostree rev-parse --repo=/srv/repo main^") { single }.Does((OstreeCall call) =>
        {
            if (call.Get(single))
            {
                if (call.Words.Count > 0)
                    throw new UsageException("Cannot specify arguments with --single", withHelp: true);
                Checksum[] commits = call.Repo.CommitsStartingWith("").Take(2).ToArray();
                call.Print(commits.Length switch
                {
                    0 => throw new RepositoryException("No commit objects found"),
                    1 => commits[0].ToString(),
                    _ => throw new RepositoryException("Multiple commit objects found"),
                });
                return;
            }
            call.Need(1, "REV must be specified");
            foreach (string rev in call.Words)
                call.Print(call.Repo.ResolveRequired(rev).ToString());
        });
    }
}
