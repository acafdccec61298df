using System.Buffers.Binary;
using System.Globalization;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>A summary on the terminal, this repository's or a remote's.</summary>
internal static class SummaryText
{
    /// <summary>The names of the keys about the whole.</summary>
    public static void PrintKeys(OstreeCall call, Variant summary)
    {
        foreach (string name in summary[1].Children.Select(e => e[0].AsString()).Order(StringComparer.Ordinal))
            call.Print(name);
    }

    /// <summary>The value of one of them.</summary>
    public static void PrintKey(OstreeCall call, Variant summary, string key)
    {
        Variant value = summary[1].Lookup(key) ?? throw new RepositoryException($"No such metadata key '{key}'");
        call.Print(value.ByteSwap().Print());
    }

    /// <summary>The variant itself.</summary>
    public static void PrintRaw(OstreeCall call, Variant summary) => call.Print(summary.ByteSwap().Print());

    /// <summary>All refs and keys, for people.</summary>
    public static void Print(OstreeCall call, Variant summary)
    {
        Variant keys = summary[1];
        PrintRefs(call, keys.Lookup("ostree.summary.collection-id", "s")?.AsString(), summary[0]);
        if (keys.Lookup("ostree.summary.collection-map", "a{sa(s(taya{sv}))}") is { } collections)
        {
            foreach (Variant collection in collections.Children)
                PrintRefs(call, collection[0].AsString(), collection[1]);
        }
        foreach (Variant entry in keys.Children)
            PrintAbout(call, entry[0].AsString(), entry[1].AsVariant());
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

    private static void PrintAbout(OstreeCall call, string key, Variant value) => call.Print((key, value.Type) switch
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
