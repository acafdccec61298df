using OciOstree.Formats.Toml;

namespace OciOstree.Registry.Configuration;

/// <summary>One <c>[[registry]]</c> of registries.conf.</summary>
/// <param name="Prefix">The image names that it is for: a host, a namespace, a repository, a whole name, or <c>*.host</c>.</param>
/// <param name="Location">What takes the prefix's place; empty leaves names as they are.</param>
internal sealed record RegistryRule(string Prefix, string Location, bool IsInsecure, bool IsBlocked, IReadOnlyList<MirrorRule> Mirrors)
{
    internal bool IsWildcard => Prefix.StartsWith("*.", StringComparison.Ordinal);

    internal static RegistryRule ForHost(string host, bool isInsecure = false, bool isBlocked = false) => new(host, host, isInsecure, isBlocked, []);

    internal static RegistryRule Read(TomlTable table)
    {
        var location = table.Get<string>("location")?.TrimEnd('/') ?? "";
        var prefix = table.Get<string>("prefix")?.TrimEnd('/') is { Length: > 0 } given ? given : location;
        if (prefix.Length == 0)
        {
            throw new RegistryException("a registry has neither prefix nor location");
        }

        if (prefix.Contains('*') && (!prefix.StartsWith("*.", StringComparison.Ordinal) || prefix.IndexOfAny(['/', ':']) >= 0 || prefix.LastIndexOf('*') > 0))
        {
            throw new RegistryException($"the prefix '{prefix}' has a wildcard that is not of the form *.host");
        }

        if (location.Length == 0 && prefix[0] != '*')
        {
            location = prefix;
        }

        var digestOnly = table.GetBoolean("mirror-by-digest-only") ?? false;
        return new RegistryRule(
            prefix,
            location,
            table.GetBoolean("insecure") ?? false,
            table.GetBoolean("blocked") ?? false,
            [.. table.GetTables("mirror").Select(m => MirrorRule.Read(m, digestOnly))]);
    }

    internal bool Matches(RegistryName name)
    {
        if (IsWildcard)
        {
            var colon = name.Host.IndexOf(':');
            return (colon < 0 ? name.Host : name.Host[..colon]).EndsWith(Prefix[1..], StringComparison.Ordinal);
        }

        var full = name.ToString();
        return full.StartsWith(Prefix, StringComparison.Ordinal) && (full.Length == Prefix.Length || full[Prefix.Length] is '/' or ':' or '@')

            // "host" is not a prefix of "host:5000/name".
            && (Prefix.Length >= name.Host.Length);
    }
}
