using System.Text.Json;
using OciOstree.Linux;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// containers-policy.json: what may be pulled from where. Requirements that ask for a signature are refused, since none is verified here:
/// an image is never taken for signed.
/// </summary>
internal sealed class TrustPolicy
{
    private const string AcceptAnything = "insecureAcceptAnything";

    private readonly string path;
    private readonly JsonElement root;

    private TrustPolicy(string path, JsonElement root) => (this.path, this.root) = (path, root);

    /// <summary>Refuses an image that the machine's policy does not let in.</summary>
    /// <exception cref="ContainerException">
    /// The policy rejects the image or wants it signed; or it is to be vouched for (<c>ostree-image-signed</c>) and there is no policy, or
    /// one that accepts anything by default.
    /// </exception>
    internal static void Check(OstreeImageReference reference)
    {
        var path = Find();
        if (path is null)
        {
            if (reference.Source.RequiresPolicy)
            {
                throw new ContainerException("no containers policy.json found: looked at $CONTAINERS_POLICY_JSON, the user's and the system's configuration");
            }

            return;
        }

        Check(path, reference);
    }

    internal static void Check(string path, OstreeImageReference reference)
    {
        var policy = Load(path);
        try
        {
            if (reference.Source.RequiresPolicy && policy.AcceptsAnythingByDefault())
            {
                throw new ContainerException($"{path} specifies a default of `{AcceptAnything}`; refusing usage");
            }

            policy.Require(reference.Image);
        }
        catch (InvalidOperationException e)
        {
            // What the reader says of text that is not Unicode.
            throw new ContainerException($"Reading {path}", e);
        }
    }

    /// <summary>Looked up where containers/image does: <c>CONTAINERS_POLICY_JSON</c>, the user's configuration, then the system's.</summary>
    private static string? Find()
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

    private static TrustPolicy Load(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(Files.ReadNamed(path));
            var root = document.RootElement.Clone();
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("default", out var requirements) && requirements.ValueKind == JsonValueKind.Array
                ? new TrustPolicy(path, root)
                : throw new JsonException("it has no default requirements");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ContainerException($"Reading {path}", e);
        }
    }

    private bool AcceptsAnythingByDefault()
    {
        var requirements = root.GetProperty("default");
        return requirements.GetArrayLength() == 1 && TypeOf(requirements[0]) == AcceptAnything;
    }

    private void Require(ImageReference image)
    {
        var requirements = RequirementsFor(image);
        if (requirements.ValueKind != JsonValueKind.Array || requirements.GetArrayLength() == 0)
        {
            throw new ContainerException($"{path} has an invalid entry for {image}");
        }

        foreach (var requirement in requirements.EnumerateArray())
        {
            switch (TypeOf(requirement))
            {
                case AcceptAnything:
                    break;
                case "reject":
                    throw new ContainerException($"{path} rejects {image}");
                case var type:
                    throw new ContainerException($"{path} requires a signature ({type}) for {image}, and signatures of images cannot be verified; refusing");
            }
        }
    }

    // The most specific scope counts: the image, then what leads to it, then its transport, then the default.
    private JsonElement RequirementsFor(ImageReference image)
    {
        if (root.TryGetProperty("transports", out var transports) && transports.ValueKind == JsonValueKind.Object
            && transports.TryGetProperty(TransportName(image.Transport), out var scopes) && scopes.ValueKind == JsonValueKind.Object)
        {
            foreach (var scope in image.Transport == Transport.Registry ? RegistryScopes(image.Name) : PathScopes(image.Name))
            {
                if (scopes.TryGetProperty(scope, out var found))
                {
                    return found;
                }
            }
        }

        return root.GetProperty("default");
    }

    private static string TransportName(Transport transport) => transport == Transport.Registry ? "docker" : ImageReference.Prefix(transport).TrimEnd(':');

    /// <summary><c>host/a/b:tag</c>, <c>host/a/b</c>, <c>host/a</c>, <c>host</c>, <c>*.domain</c>…, and the transport's own default.</summary>
    private static IEnumerable<string> RegistryScopes(string name)
    {
        var parsed = RegistryName.Parse(name);
        var repository = $"{parsed.Host}/{parsed.Repository}";
        yield return parsed.Digest is { } digest ? $"{repository}@{digest}" : $"{repository}:{parsed.Tag}";
        for (var at = repository; ; at = at[..at.LastIndexOf('/')])
        {
            yield return at;
            if (!at.Contains('/'))
            {
                break;
            }
        }

        var host = parsed.Host.Split(':')[0];
        for (var dot = host.IndexOf('.'); dot >= 0; dot = host.IndexOf('.', dot + 1))
        {
            yield return "*" + host[dot..];
        }

        yield return "";
    }

    private static IEnumerable<string> PathScopes(string name)
    {
        yield return name;
        var colon = name.IndexOf(':');
        for (var at = colon < 0 ? name : name[..colon]; at.Length > 0; at = at[..Math.Max(at.LastIndexOf('/'), 0)])
        {
            yield return at;
        }

        yield return "/";
        yield return "";
    }

    private static string? TypeOf(JsonElement requirement) =>
        requirement.ValueKind == JsonValueKind.Object && requirement.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
}
