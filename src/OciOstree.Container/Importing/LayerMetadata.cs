using System.Collections.Immutable;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>What the commit of a derived layer says beside its tree.</summary>
/// <param name="IsOurs">Whether it says anything: a peer's layer commit does not tell described directories from implied ones.</param>
/// <param name="ImpliedDirectories">Paths (<c>/usr/lib</c>) of directories that only lead to others: they leave the mode and owner of what they lie over alone.</param>
/// <param name="Links">Hard links to files of lower layers: path, and the target without a leading slash.</param>
/// <param name="SameFiles">Paths of the layer that are one file under several names, a group each. What merely has the same content is not here.</param>
/// <param name="UsrEtc">Paths that the layer names as <c>usr/etc</c>, beside what it has in <c>etc</c>.</param>
/// <param name="BothEtc">Those whiteouts among them that it has for <c>etc</c>, too.</param>
/// <param name="TopLevels">By which rules what the layer has outside of <c>usr</c> and <c>etc</c> was placed, for the directories that it has; null if it does not say.</param>
/// <param name="Dropped">What was left out of it.</param>
/// <param name="Labels">By which SELinux policy the layer's content is labelled (<see cref="ContentLabels.Id"/>); null if by none.</param>
internal sealed record LayerMetadata(bool IsOurs, IReadOnlySet<string> ImpliedDirectories, IReadOnlyList<(string Path, string Target)> Links, IReadOnlyList<IReadOnlyList<string>> SameFiles, IReadOnlySet<string> UsrEtc, IReadOnlySet<string> BothEtc, IReadOnlyList<(string Name, string Rule)>? TopLevels, DroppedContent Dropped, string? Labels)
{
    /// <summary>
    /// The version of ostree-ext whose layout of refs, commits and metadata this is, under the key where it writes its own.
    /// </summary>
    internal const string ImporterVersion = "0.15.3";

    internal const string ImporterVersionKey = "ostree.importer.version";

    private const string ImpliedKey = "oci-ostree.implied-directories";
    private const string LinksKey = "oci-ostree.hardlinks";
    private const string SameFilesKey = "oci-ostree.same-files";
    private const string UsrEtcKey = "oci-ostree.usr-etc";
    private const string BothEtcKey = "oci-ostree.usr-etc-and-etc";
    private const string TopLevelsKey = "oci-ostree.top-levels";
    private const string DroppedKey = "oci-ostree.dropped";
    private const string LabelsKey = "oci-ostree.labels";

    internal static Variant Write(IEnumerable<string> implied, IEnumerable<(string Path, string Target)> links, IEnumerable<IEnumerable<string>> sameFiles, EtcSpelling spelling, string? labels, IEnumerable<(string Name, TopLevelRule Rule)> topLevels, DroppedContent dropped)
    {
        List<KeyValuePair<string, Variant>> metadata =
        [
            new(ImporterVersionKey, Variant.String(ImporterVersion)),
            new(ImpliedKey, Variant.Strings(implied.Order(StringComparer.Ordinal))),
            new(TopLevelsKey, Pairs(topLevels.Select(top => (top.Name, TopLevelRules.Text(top.Rule))))),
        ];
        var pairs = Pairs(links);
        if (pairs.Count > 0)
        {
            metadata.Add(new(LinksKey, pairs));
        }

        AddStrings(UsrEtcKey, spelling.OfUsr);
        AddStrings(BothEtcKey, spelling.OfBoth);
        if (!dropped.IsEmpty)
        {
            metadata.Add(new(DroppedKey, dropped.ToVariant()));
        }

        string[][] groups = [.. sameFiles.Select(group => group.Order(StringComparer.Ordinal).ToArray()).OrderBy(group => group[0], StringComparer.Ordinal)];
        if (groups.Length > 0)
        {
            metadata.Add(new(SameFilesKey, Variant.Array("as", groups.Select(Variant.Strings))));
        }

        if (labels is not null)
        {
            metadata.Add(new(LabelsKey, Variant.String(labels)));
        }

        return Variant.Dictionary(metadata);

        void AddStrings(string key, IEnumerable<string> strings)
        {
            string[] sorted = [.. strings.Order(StringComparer.Ordinal)];
            if (sorted.Length > 0)
            {
                metadata.Add(new(key, Variant.Strings(sorted)));
            }
        }
    }

    /// <summary>The metadata of a layer that was labelled again.</summary>
    internal static Variant WithLabels(Variant metadata, string? labels)
    {
        List<KeyValuePair<string, Variant>> entries =
        [
            .. metadata.Children.Select(entry => new KeyValuePair<string, Variant>(entry[0].AsString(), entry[1].AsVariant())).Where(entry => entry.Key != LabelsKey),
        ];
        if (labels is not null)
        {
            entries.Add(new(LabelsKey, Variant.String(labels)));
        }

        return Variant.Dictionary(entries);
    }

    internal static LayerMetadata Read(Commit commit)
    {
        var implied = commit.Metadata.Lookup(ImpliedKey, "as");
        var links = commit.Metadata.Lookup(LinksKey, "a(ss)");
        return new LayerMetadata(
            implied is not null,
            implied?.AsStrings().ToHashSet(StringComparer.Ordinal) ?? [],
            links is null ? [] : ReadPairs(links),
            [.. (commit.Metadata.Lookup(SameFilesKey, "aas")?.Children ?? []).Select(group => group.AsStrings())],
            ReadSet(commit, UsrEtcKey),
            ReadSet(commit, BothEtcKey),
            commit.Metadata.Lookup(TopLevelsKey, "a(ss)") is { } topLevels ? ReadPairs(topLevels) : null,
            DroppedContent.FromVariant(commit.Metadata.Lookup(DroppedKey)),
            commit.Metadata.Lookup(LabelsKey, "s")?.AsString());
    }

    /// <summary>
    /// Whether the layer has come out as it would by these rules. A layer that does not say by which it was read is good for the default ones only.
    /// </summary>
    internal bool Fits(LayerPath paths, bool isDefault) => TopLevels?.All(top => top.Rule == TopLevelRules.Text(paths.RuleOf(top.Name))) ?? isDefault;

    private static IReadOnlySet<string> ReadSet(Commit commit, string key) =>
        commit.Metadata.Lookup(key, "as") is { } strings ? strings.AsStrings().ToHashSet(StringComparer.Ordinal) : ImmutableHashSet<string>.Empty;

    private static Variant Pairs(IEnumerable<(string First, string Second)> pairs) => Variant.Array(
        "(ss)", pairs.OrderBy(pair => pair.First, StringComparer.Ordinal).Select(pair => Variant.Tuple(Variant.String(pair.First), Variant.String(pair.Second))));

    private static (string First, string Second)[] ReadPairs(Variant pairs) => [.. pairs.Children.Select(pair => (pair[0].AsString(), pair[1].AsString()))];
}
