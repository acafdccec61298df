using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class LogCommand
{
    public static Command Create()
    {
        var raw = Opts.Flag("--raw", "Show raw variant data");
        return new OstreeVerb("log", "Show log starting at commit or ref", "REV", "ostree log --repo=/srv/repo main") { raw }.Does((OstreeCall call) =>
        {
            call.Need(1, "A rev argument is required");
            Checksum? next = call.Repo.ResolveRequired(call.Words[0]);
            for (bool first = true; next is { } commit; first = false)
            {
                var name = new ObjectName(commit, ObjectType.Commit);
                if (!first && !call.Repo.HasObject(name))
                {
                    call.Print("<< History beyond this commit not fetched >>");
                    break;
                }
                CommitText.Print(call, name, call.Get(raw), unswapped: false);
                next = call.Repo.ReadCommit(commit).Parent;
            }
        });
    }
}
