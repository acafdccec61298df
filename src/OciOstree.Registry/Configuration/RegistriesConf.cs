using System.Net;
using System.Text;
using OciOstree.Formats.Toml;
using OciOstree.Linux;
using OciOstree.Registry.Http;

namespace OciOstree.Registry.Configuration;

/// <summary>
/// containers-registries.conf(5): which registries are insecure, blocked, elsewhere, or mirrored. Versions 1 and 2 are read;
/// short names and their aliases are not, since short names are not looked up.
/// </summary>
internal sealed class RegistriesConf
{
    private readonly List<RegistryRule> rules;

    private RegistriesConf(List<RegistryRule> rules) => this.rules = rules;

    /// <summary>The machine's and the user's configuration.</summary>
    /// <param name="given">The only file to read, if not null.</param>
    internal static RegistriesConf Load(string? given)
    {
        given ??= Value("CONTAINERS_REGISTRIES_CONF") ?? Value("REGISTRIES_CONFIG_PATH");
        var rules = new List<RegistryRule>();
        foreach (var path in given is null ? DefaultFiles() : [given])
        {
            // What a later file says of a prefix replaces all that was said of it.
            foreach (var rule in Read(path))
            {
                rules.RemoveAll(r => r.Prefix == rule.Prefix);
                rules.Add(rule);
            }
        }

        return new RegistriesConf(rules);
    }

    /// <summary>Places to pull from, in the order to try them.</summary>
    /// <param name="tlsVerify">Said on the command line, it wins over the files.</param>
    internal List<Endpoint> ForPull(RegistryName name, bool? tlsVerify)
    {
        var rule = Match(name);
        if (rule is null)
        {
            return [Unruled(name, tlsVerify)];
        }

        if (rule.IsBlocked)
        {
            throw new RegistryException($"registries.conf blocks {rule.Prefix}");
        }

        return
        [
            .. rule.Mirrors.Where(m => name.Digest is null ? m.ForTags : m.ForDigests).Select(m => Rewrite(name, rule, m.Location, m.IsInsecure)),
            Rewrite(name, rule, rule.Location, rule.IsInsecure),
        ];

        Endpoint Rewrite(RegistryName name, RegistryRule rule, string location, bool isInsecure)
        {
            var full = $"{name.Host}/{name.Repository}";
            var rewritten = location.Length == 0
                ? full
                : rule.IsWildcard ? location + full[name.Host.Length..]
                : location + full[Math.Min(rule.Prefix.Length, full.Length)..];
            var slash = rewritten.IndexOf('/');
            return slash > 0 && slash < rewritten.Length - 1
                ? new Endpoint(rewritten[..slash], rewritten[(slash + 1)..], tlsVerify is { } verify ? !verify : isInsecure)
                : throw new RegistryException($"registries.conf sends {full} to '{Printable.Clip(rewritten)}', which is no repository");
        }
    }

    /// <summary>The place to push to: never a mirror, never elsewhere.</summary>
    internal Endpoint ForPush(RegistryName name, bool? tlsVerify) =>
        Match(name) is { } rule ? new Endpoint(name.Host, name.Repository, tlsVerify is { } verify ? !verify : rule.IsInsecure) : Unruled(name, tlsVerify);

    private static Endpoint Unruled(RegistryName name, bool? tlsVerify) =>
        new(name.Host, name.Repository, Insecure: tlsVerify == false, PlainHttp: tlsVerify is null && IsThisMachine(name.Host));

    /// <summary>
    /// Whether what is sent there stays on this machine. Nobody can listen in, so a registry for development may go without TLS, as Docker
    /// lets it; a rule in registries.conf or the command line may demand it all the same.
    /// </summary>
    private static bool IsThisMachine(string host)
    {
        var end = host.StartsWith('[') ? host.IndexOf(']') + 1 : host.IndexOf(':');
        var name = (end > 0 ? host[..end] : host).Trim('[', ']');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address));
    }

    private RegistryRule? Match(RegistryName name) => rules.Where(r => r.Matches(name)).MaxBy(r => r.Prefix.Length);

    private static IEnumerable<string> DefaultFiles()
    {
        var home = Value("HOME");
        var configuration = Value("XDG_CONFIG_HOME") ?? (home is null ? null : home + "/.config");
        var own = configuration + "/containers/registries.conf";
        var main = configuration is not null && File.Exists(own) ? own : "/etc/containers/registries.conf";
        if (File.Exists(main))
        {
            yield return main;
        }

        foreach (var directory in new[] { "/etc/containers/registries.conf.d", own + ".d" })
        {
            if (!Directory.Exists(directory))
            {
                continue;
            }

            foreach (var path in Directory.EnumerateFiles(directory, "*.conf").Order(StringComparer.Ordinal))
            {
                yield return path;
            }
        }
    }

    private static List<RegistryRule> Read(string path)
    {
        try
        {
            var root = TomlTable.Parse(Encoding.UTF8.GetString(Files.ReadNamed(path)));
            var rules = root.GetTables("registry").Select(RegistryRule.Read).ToList();

            // Version 1: lists of hosts.
            var old = root.Get<TomlTable>("registries");
            rules.AddRange((old?.Get<TomlTable>("insecure")?.GetStrings("registries") ?? []).Select(host => RegistryRule.ForHost(host, isInsecure: true)));
            rules.AddRange((old?.Get<TomlTable>("block")?.GetStrings("registries") ?? []).Select(host => RegistryRule.ForHost(host, isBlocked: true)));
            return rules;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TomlException or RegistryException)
        {
            throw new RegistryException($"reading {path}: {Printable.Clip(e.Message)}");
        }
    }

    private static string? Value(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
