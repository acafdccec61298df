using OciOstree.Formats.Toml;

namespace OciOstree.Registry.Configuration;

/// <summary>One <c>[[registry.mirror]]</c>.</summary>
internal sealed record MirrorRule(string Location, bool IsInsecure, bool ForTags, bool ForDigests)
{
    internal static MirrorRule Read(TomlTable table, bool digestOnly)
    {
        var location = table.Get<string>("location")?.TrimEnd('/');
        if (string.IsNullOrEmpty(location))
        {
            throw new RegistryException("a mirror has no location");
        }

        var (forTags, forDigests) = table.Get<string>("pull-from-mirror") switch
        {
            null or "" or "all" => (!digestOnly, true),
            "digest-only" => (false, true),
            "tag-only" when !digestOnly => (true, false),
            var other => throw new RegistryException($"pull-from-mirror is '{other}'"),
        };
        return new MirrorRule(location, table.GetBoolean("insecure") ?? false, forTags, forDigests);
    }
}
