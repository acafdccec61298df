using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary><c>ostree remote refs</c>: what there is to pull.</summary>
internal static class RemoteRefsCommand
{
    public static OstreeVerb Create()
    {
        var revision = Opts.Flag("--revision", "Show revisions in listing", "-r");
        var cacheDir = Opts.Value("--cache-dir", "DIR", "Use custom cache dir");
        return new OstreeVerb("refs", "List remote refs", "NAME", "ostree remote refs --repo=/srv/repo origin") { revision, cacheDir }.Does((OstreeCall call) =>
        {
            call.Need(1, "NAME must be specified");
            string name = call.Words[0];
            RemoteSummary summary = RemoteSummaryCommand.Fetch(call, name, call.Get(cacheDir))
                ?? throw new RepositoryException("Remote refs not available; server has no summary file");
            foreach ((string? _, string known, Formats.GVariant.Variant about) in summary.Refs().Where(r => r.Collection == summary.CollectionId).OrderBy(r => r.Name, StringComparer.Ordinal))
                call.Print(call.Get(revision) ? $"{name}:{known}\t{Convert.ToHexStringLower(about[1].AsBytes().Span)}" : $"{name}:{known}");
        });
    }
}
