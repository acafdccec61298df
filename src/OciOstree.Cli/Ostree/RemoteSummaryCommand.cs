using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary><c>ostree remote summary</c>: what a remote says about itself.</summary>
internal static class RemoteSummaryCommand
{
    public static OstreeVerb Create()
    {
        var listKeys = Opts.Flag("--list-metadata-keys", "List the available metadata keys");
        var key = Opts.Value("--print-metadata-key", "KEY", "Print string value of metadata key");
        var cacheDir = Opts.Value("--cache-dir", "DIR", "Use custom cache dir");
        var raw = Opts.Flag("--raw", "Show raw variant data");
        return new OstreeVerb("summary", "Show remote summary", "NAME", "ostree remote summary --repo=/srv/repo origin") { listKeys, key, cacheDir, raw }.Does((OstreeCall call) =>
        {
            call.Need(1, "NAME must be specified");
            RemoteSummary summary = Fetch(call, call.Words[0], call.Get(cacheDir)) ?? throw new RepositoryException("Remote server has no summary file");
            if (call.Get(listKeys))
                SummaryText.PrintKeys(call, summary.Content);
            else if (call.Get(key) is { } wanted)
                SummaryText.PrintKey(call, summary.Content, wanted);
            else if (call.Get(raw))
                SummaryText.PrintRaw(call, summary.Content);
            else
            {
                SummaryText.Print(call, summary.Content);
                PrintSignatures(call, Remote.Find(call.Repo, call.Words[0]), summary);
            }
        });
    }

    // They were verified on the way in.
    private static void PrintSignatures(OstreeCall call, Remote remote, RemoteSummary summary)
    {
        if (!remote.VerifiesSummary || summary.Signature is not { } signed || GpgVerifier.Signatures(Variant.FromBytes("a{sv}", signed)) is not { } signatures)
            return;
        IReadOnlyList<GpgSignature> found = GpgVerifier.Check(GpgKeyring.Of(call.Repo, remote), summary.Bytes.Span, signatures, withKeys: true);
        GpgText.PrintSignatures(call, $"\nGPG: Verification enabled, found {GpgText.Count(found)}:", found);
    }

    public static RemoteSummary? Fetch(OstreeCall call, string remote, string? cacheDirectory) => RemoteSummary.Fetch(call.Repo, Remote.Find(call.Repo, remote), new RemotePullOptions
    {
        CacheDirectory = cacheDirectory,
        UserAgent = PullCommand.UserAgent,
    }, Entry.Cancellation);
}
