using System.Text.Json;

namespace OciOstree.Container;

/// <summary>
/// containers-policy.json, as far as <c>ostree-image-signed</c> needs it: a policy that accepts anything by default vouches for nothing.
/// </summary>
internal static class TrustPolicy
{
    /// <summary>Looked up where containers/image does: <c>CONTAINERS_POLICY_JSON</c>, the user's configuration, then the system's.</summary>
    internal static void RequireStrict() => RequireStrict(Find());

    /// <exception cref="ContainerException">The policy cannot be read, or its default accepts anything.</exception>
    internal static void RequireStrict(string path)
    {
        bool insecure;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            insecure = AcceptsAnything(document.RootElement);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ContainerException($"Reading {path}", e);
        }

        if (insecure)
        {
            throw new ContainerException($"{path} specifies a default of `insecureAcceptAnything`; refusing usage");
        }
    }

    private static bool AcceptsAnything(JsonElement policy) =>
        policy.ValueKind == JsonValueKind.Object
        && policy.TryGetProperty("default", out var requirements)
        && requirements.ValueKind == JsonValueKind.Array
        && requirements.GetArrayLength() == 1
        && requirements[0].ValueKind == JsonValueKind.Object
        && requirements[0].TryGetProperty("type", out var type)
        && type.ValueKind == JsonValueKind.String
        && type.ValueEquals("insecureAcceptAnything");

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("CONTAINERS_POLICY_JSON") is { Length: > 0 } given)
        {
            return given;
        }

        var configuration = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".config")
            : null;
        string[] system = ["/etc/containers/policy.json", "/usr/share/containers/policy.json"];
        string[] candidates = configuration is null ? system : [Path.Combine(configuration, "containers/policy.json"), .. system];
        return Array.Find(candidates, File.Exists)
            ?? throw new ContainerException($"no containers policy.json found; looked at $CONTAINERS_POLICY_JSON and {string.Join(", ", candidates)}");
    }
}
