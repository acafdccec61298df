using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
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
            update, view, raw, listKeys, key, metadata,
        }.Does((OstreeCall call) =>
        {
            if (call.Get(update))
            {
                RepoSummary.Regenerate(call.Repo, call.Get(metadata)!.Select(Additional).ToArray());
            }
            else if (call.Get(raw))
            {
                call.Print(RepoSummary.Read(call.Repo).ByteSwap().Print());
            }
            else if (call.Get(view))
            {
                View(call, RepoSummary.Read(call.Repo));
            }
            else if (call.Get(listKeys))
            {
                foreach (string name in RepoSummary.Read(call.Repo)[1].Children.Select(e => e[0].AsString()).Order(StringComparer.Ordinal))
                    call.Print(name);
            }
            else if (call.Get(key) is { } wanted)
            {
                Variant value = RepoSummary.Read(call.Repo)[1].Lookup(wanted) ?? throw new RepositoryException($"No such metadata key '{wanted}'");
                call.Print(value.ByteSwap().Print());
            }
            else
            {
                throw new RepositoryException("No option specified; use -u to update summary");
            }
        });
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

    private static void View(OstreeCall call, Variant summary)
    {
        Variant keys = summary[1];
        PrintRefs(call, keys.Lookup("ostree.summary.collection-id", "s")?.AsString(), summary[0]);
        if (keys.Lookup("ostree.summary.collection-map", "a{sa(s(taya{sv}))}") is { } collections)
        {
            foreach (Variant collection in collections.Children)
                PrintRefs(call, collection[0].AsString(), collection[1]);
        }
        foreach (Variant entry in keys.Children)
            PrintKey(call, entry[0].AsString(), entry[1].AsVariant());
        call.Print("Summary is unsigned");
    }

    private static void PrintRefs(OstreeCall call, string? collection, Variant refs)
    {
        foreach (Variant entry in refs.Children)
        {
            string name = entry[0].AsString();
            Variant about = entry[1];
            call.Print(collection is null ? $"* {name}" : $"* ({collection}, {name})");
            call.Print($"    Latest Commit ({SizeText.Of((long)about[0].AsUInt64())}):");
            call.Print($"      {Convert.ToHexStringLower(about[1].AsBytes().Span)}");
            foreach (Variant key in about[2].Children)
            {
                Variant value = key[1].AsVariant();
                string line = key[0].AsString() switch
                {
                    "ostree.commit.timestamp" when value.Type == "t" => $"Timestamp (ostree.commit.timestamp): {Date(value)}",
                    "ostree.commit.version" when value.Type == "s" => $"Version (ostree.commit.version): {value.AsString()}",
                    var other => $"{other}: {value.Print(annotate: false)}",
                };
                call.Print("    " + line);
            }
            call.Print("");
        }
    }

    private static void PrintKey(OstreeCall call, string key, Variant value) => call.Print((key, value.Type) switch
    {
        ("ostree.static-deltas", _) => $"Static Deltas ({key}): {value.Print(annotate: false)}",
        ("ostree.summary.last-modified", "t") => $"Last-Modified ({key}): {Date(value)}",
        ("ostree.summary.expires", "t") => $"Expires ({key}): {Date(value)}",
        ("ostree.summary.collection-id", "s") => $"Collection ID ({key}): {value.AsString()}",
        ("ostree.summary.collection-map", _) => $"Collection Map ({key}): (printed above)",
        ("ostree.summary.mode", "s") => $"Repository Mode ({key}): {value.AsString()}",
        ("ostree.summary.tombstone-commits", "b") => $"Has Tombstone Commits ({key}): {(value.AsBoolean() ? "Yes" : "No")}",
        _ => $"{key}: {value.Print(annotate: false)}",
    });

    // ISO 8601 in local time, the zone as short as it can be said.
    private static string Date(Variant seconds)
    {
        ulong timestamp = BinaryPrimitives.ReverseEndianness(seconds.AsUInt64());
        if (timestamp > (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            return "invalid";
        DateTimeOffset local = DateTimeOffset.FromUnixTimeSeconds((long)timestamp).ToLocalTime();
        TimeSpan zone = local.Offset.Duration();
        string sign = local.Offset < TimeSpan.Zero ? "-" : "+";
        return local.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture) + sign + zone.ToString(zone.Minutes == 0 ? "hh" : "hh':'mm", CultureInfo.InvariantCulture);
    }
}
