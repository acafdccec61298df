using System.Text.Json;
using OciOstree.Linux;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>containers-policy.json(5): what may be pulled from where, read as strictly as containers/image reads it.</summary>
internal sealed class TrustPolicy
{
    private static readonly string[] PathTransports = ["dir", "oci", "oci-archive"];

    private readonly List<PolicyRequirement> byDefault;
    private readonly Dictionary<string, Dictionary<string, List<PolicyRequirement>>> transports = new(StringComparer.Ordinal);

    private TrustPolicy(JsonElement root)
    {
        var members = StrictJson.Members(root, "the policy", "default", "transports");
        byDefault = members.TryGetValue("default", out var requirements) ? Requirements(requirements) : throw new ContainerException("it has no default requirements");
        if (!members.TryGetValue("transports", out var given))
        {
            return;
        }

        foreach (var (transport, scopes) in StrictJson.Members(given, "transports", null))
        {
            var read = transports[transport] = new(StringComparer.Ordinal);
            foreach (var (scope, value) in StrictJson.Members(scopes, $"transport {StrictJson.Show(transport)}", null))
            {
                CheckScope(transport, scope);
                read[scope] = Requirements(value);
            }
        }
    }

    /// <summary>Whether it lets in all that it does not name.</summary>
    internal bool AcceptsAnythingByDefault => byDefault is [{ Type: PolicyRequirement.AcceptAnything }];

    /// <summary>Looked up where containers/image does: <c>CONTAINERS_POLICY_JSON</c>, the user's configuration, then the system's.</summary>
    internal static string? Find()
    {
        if (Environment.GetEnvironmentVariable("CONTAINERS_POLICY_JSON") is { Length: > 0 } given)
        {
            return given;
        }

        var configuration = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".config")
            : null;
        string[] system = ["/etc/containers/policy.json", "/usr/share/containers/policy.json"];
        return Array.Find(configuration is null ? system : [Path.Combine(configuration, "containers/policy.json"), .. system], File.Exists);
    }

    /// <exception cref="ContainerException">It cannot be read, or is no policy.</exception>
    internal static TrustPolicy Load(string path)
    {
        try
        {
            return StrictJson.Parse(Files.ReadNamed(path), root => new TrustPolicy(root));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ContainerException)
        {
            throw new ContainerException($"Reading {path}", e);
        }
    }

    /// <summary>All of which an image must meet: those of the most specific scope that it is in.</summary>
    internal IReadOnlyList<PolicyRequirement> RequirementsFor(ImageReference image)
    {
        if (!transports.TryGetValue(TransportName(image.Transport), out var scopes))
        {
            return byDefault;
        }

        if (image.Transport == Transport.ContainersStorage && scopes.Keys.FirstOrDefault(scope => scope.Length > 0) is { } storage)
        {
            throw new ContainerException($"its scope {StrictJson.Show(storage)} is about where a store is, which is not known here");
        }

        var found = PolicyScopes.Of(image).Append("").FirstOrDefault(scopes.ContainsKey);
        return found is null ? byDefault : scopes[found];
    }

    private static string TransportName(Transport transport) => transport == Transport.Registry ? "docker" : ImageReference.Prefix(transport).TrimEnd(':');

    // One that no image can be in would protect nothing.
    private static void CheckScope(string transport, string scope)
    {
        if (scope.Length > 0 && ((transport == "docker-archive") || (PathTransports.Contains(transport) && (scope == "/" || !scope.StartsWith('/') || Path.GetFullPath(scope).TrimEnd('/') != scope))))
        {
            throw new ContainerException($"transport {transport} has the invalid scope '{StrictJson.Show(scope)}'");
        }
    }

    private static List<PolicyRequirement> Requirements(JsonElement list) =>
        StrictJson.Items(list, "a list of requirements") is { Count: > 0 } items ? [.. items.Select(PolicyReader.Read)] : throw new ContainerException("a list of requirements is empty");
}
