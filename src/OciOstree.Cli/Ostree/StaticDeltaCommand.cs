using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary><c>ostree static-delta</c>: what brings a client from one commit to another in a few files.</summary>
internal static class StaticDeltaCommand
{
    public static Command Create()
    {
        var group = new Verb("static-delta", "Static delta related commands", "ostree static-delta list --repo=/srv/repo");
        group.Add(List());
        group.Add(StaticDeltaShowCommand.Create());
        group.Add(Delete());
        group.Add(StaticDeltaGenerateCommand.Create());
        group.Add(StaticDeltaApplyCommand.Create());
        group.Add(StaticDeltaVerifyCommand.Create());
        group.Add(Indexes());
        group.Add(Reindex());
        return group;
    }

    private static OstreeVerb List() =>
        new OstreeVerb("list", "List static delta files", "", "ostree static-delta list --repo=/srv/repo").Does((OstreeCall call) =>
        {
            IReadOnlyList<DeltaName> names = StaticDeltaStore.List(call.Repo);
            if (names.Count == 0)
                call.Print("(No static deltas)");
            foreach (DeltaName name in names)
                call.Print(name.ToString());
        });

    private static OstreeVerb Delete() =>
        new OstreeVerb("delete", "Remove a delta", "", "ostree static-delta delete --repo=/srv/repo FROM-TO").Does((OstreeCall call) =>
        {
            Repo repo = call.Repo;
            StaticDeltaStore.Delete(repo, DeltaName.Parse(Delta(call)));
        });

    private static OstreeVerb Indexes() =>
        new OstreeVerb("indexes", "List static delta indexes", "", "ostree static-delta indexes --repo=/srv/repo").Does((OstreeCall call) =>
        {
            IReadOnlyList<Checksum> targets = StaticDeltaStore.ListIndexes(call.Repo);
            if (targets.Count == 0)
                call.Print("(No static deltas indexes)");
            foreach (Checksum to in targets)
                call.Print(to.ToString());
        });

    private static OstreeVerb Reindex()
    {
        var to = Opts.Value("--to", "REV", "Only update delta index to revision REV");
        return new OstreeVerb("reindex", "Regenerate static delta indexes", "", "ostree static-delta reindex --repo=/srv/repo") { to }.Does((OstreeCall call) =>
        {
            Repo repo = call.Repo;
            StaticDeltaStore.Reindex(repo, call.Get(to) is { } only ? DeltaName.Parse(only).To : null);
        });
    }

    /// <summary>The delta that is asked for.</summary>
    internal static string Delta(OstreeCall call) => call.Words.Count > 0 ? call.Words[0] : throw new RepositoryException("DELTA must be specified");
}
