using System.CommandLine;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class SummaryCommand
{
    public static Command Create()
    {
        var update = Opts.Flag("--update", "Update the summary", "-u");
        var view = Opts.Flag("--view", "View the local summary file", "-v");
        var raw = Opts.Flag("--raw", "View the raw bytes of the summary file");
        var listKeys = Opts.Flag("--list-metadata-keys", "List the available metadata keys");
        var key = Opts.Value("--print-metadata-key", "KEY", "Print string value of metadata key");
        var metadata = Opts.Many("--add-metadata", "KEY=VALUE", "Additional metadata field to add to the summary", "-m");
        return new OstreeVerb("summary", "Manage summary metadata", "", "ostree summary --repo=/srv/repo -u", "ostree summary --repo=/srv/repo -v")
        {
            SigningOptions.GpgKeys, SigningOptions.GpgHome, SigningOptions.Keys, SigningOptions.Type, update, view, raw, listKeys, key, metadata,
        }.Does((OstreeCall call) =>
        {
            if (call.Get(update))
            {
                RepoSummary.Regenerate(call.Repo, call.Get(metadata)!.Select(Additional).ToArray(), SigningOptions.Read(call));
            }
            else if (call.Get(raw))
            {
                SummaryText.PrintRaw(call, RepoSummary.Read(call.Repo));
            }
            else if (call.Get(view))
            {
                SummaryText.Print(call, RepoSummary.Read(call.Repo));
                PrintSignatures(call);
            }
            else if (call.Get(listKeys))
            {
                SummaryText.PrintKeys(call, RepoSummary.Read(call.Repo));
            }
            else if (call.Get(key) is { } wanted)
            {
                SummaryText.PrintKey(call, RepoSummary.Read(call.Repo), wanted);
            }
            else
            {
                throw new RepositoryException("No option specified; use -u to update summary");
            }
        });
    }

    private static void PrintSignatures(OstreeCall call)
    {
        Variant? signed = RepoSummary.ReadSignatures(call.Repo);
        if (signed is null)
            call.Print("Summary is unsigned");
        else if (GpgVerifier.Signatures(signed) is { } signatures)
        {
            IReadOnlyList<GpgSignature> found = GpgVerifier.Check(GpgKeyring.Everybody(call.Repo, call.Get(SigningOptions.GpgHome)), RepoSummary.Read(call.Repo).Data.Span, signatures, withKeys: true);
            GpgText.PrintSignatures(call, $"\nFound {GpgText.Count(found)} on the summary:", found);
        }
    }

    private static KeyValuePair<string, Variant> Additional(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            throw new RepositoryException($"Missing '=' in KEY=VALUE metadata '{text}'");
        try
        {
            return KeyValuePair.Create(text[..equals], Variant.Parse(text[(equals + 1)..]));
        }
        catch (VariantException e)
        {
            throw new RepositoryException($"Error parsing variant ‘{text[(equals + 1)..]}’: ", e);
        }
    }
}
