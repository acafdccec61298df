using System.Text;
using System.Text.Json;
using OciOstree.Linux;

namespace OciOstree.Registry.Credentials;

/// <summary>
/// Credentials in containers-auth.json's format, which is also that of docker's <c>config.json</c>, looked for where ostree,
/// podman and docker keep them.
/// </summary>
internal static class CredentialFiles
{
    private const string What = "credentials file";
    private const long SizeLimit = 4 << 20;

    /// <summary>The most specific credential for a repository; null if there is none.</summary>
    /// <param name="given">The only file to look at, if not null. It must exist.</param>
    internal static RegistryCredential? Find(string host, string repository, string? given)
    {
        var only = given ?? Value("REGISTRY_AUTH_FILE");
        if (only is not null)
        {
            return File.Exists(only) ? FindIn(only, host, repository) : throw new RegistryException($"{What} {only}: no such file");
        }

        foreach (var path in SearchPath())
        {
            if (File.Exists(path) && FindIn(path, host, repository) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static IEnumerable<string> SearchPath()
    {
        var home = Value("HOME");
        var runtime = Value("XDG_RUNTIME_DIR");
        var configuration = Value("XDG_CONFIG_HOME") ?? (home is null ? null : home + "/.config");
        if (Environment.IsPrivilegedProcess)
        {
            yield return "/run/ostree/auth.json";
            yield return "/etc/ostree/auth.json";
            yield return "/usr/lib/ostree/auth.json";
        }
        else
        {
            foreach (var place in new[] { runtime, configuration }.OfType<string>())
            {
                yield return place + "/ostree/auth.json";
            }
        }

        if (runtime is not null)
        {
            yield return runtime + "/containers/auth.json";
        }
        else if (Environment.IsPrivilegedProcess)
        {
            yield return "/run/containers/0/auth.json";
        }

        if (configuration is not null)
        {
            yield return configuration + "/containers/auth.json";
        }

        var docker = Value("DOCKER_CONFIG") ?? (home is null ? null : home + "/.docker");
        if (docker is not null)
        {
            yield return docker + "/config.json";
        }
    }

    private static RegistryCredential? FindIn(string path, string host, string repository)
    {
        byte[] bytes;
        try
        {
            bytes = Files.ReadNamed(path, SizeLimit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RegistryException($"{What} {path}: {e.Message}");
        }

        try
        {
            return bytes.AsSpan().Trim(" \r\n\t"u8).IsEmpty ? null : Json.Parse(bytes, What, root => Select(root, host, repository));
        }
        catch (RegistryException e)
        {
            throw new RegistryException(path, e);
        }
    }

    private static RegistryCredential? Select(JsonElement root, string host, string repository)
    {
        if (Json.TryGet(root, "credHelpers", out var helpers)
            && helpers.ValueKind == JsonValueKind.Object
            && HostKeys(host).Select(key => Json.String(helpers, key, What)).FirstOrDefault(h => h is not null) is { } helper)
        {
            return CredentialHelper.Get(helper, host == "docker.io" ? DockerHubKey : host);
        }

        if (Json.TryGet(root, "auths", out var auths) && auths.ValueKind == JsonValueKind.Object)
        {
            foreach (var key in Keys(host, repository))
            {
                foreach (var entry in auths.EnumerateObject())
                {
                    if (Normalise(entry.Name) == key && Read(entry.Value) is { } credential)
                    {
                        return credential;
                    }
                }
            }
        }

        return Json.String(root, "credsStore", What) is { Length: > 0 } store
            ? CredentialHelper.Get(store, host == "docker.io" ? DockerHubKey : host)
            : null;
    }

    private const string DockerHubKey = "https://index.docker.io/v1/";

    private static string[] HostKeys(string host) => host == "docker.io" ? ["docker.io", DockerHubKey, "index.docker.io"] : [host];

    /// <summary>From the whole repository down to the host.</summary>
    private static IEnumerable<string> Keys(string host, string repository)
    {
        for (var key = $"{host}/{repository}"; key.Length > host.Length; key = key[..key.LastIndexOf('/')])
        {
            yield return key;
        }

        yield return host;
    }

    /// <summary>Docker writes hosts as URLs, and its own by three names.</summary>
    private static string Normalise(string key)
    {
        var isUrl = key.StartsWith("https://", StringComparison.Ordinal) || key.StartsWith("http://", StringComparison.Ordinal);
        if (isUrl)
        {
            key = key[(key.IndexOf("//", StringComparison.Ordinal) + 2)..];
            key = key.IndexOf('/') is var slash and >= 0 ? key[..slash] : key;
        }

        return key is "index.docker.io" or "registry-1.docker.io" ? "docker.io" : key.TrimEnd('/');
    }

    private static RegistryCredential? Read(JsonElement entry)
    {
        Json.RequireObject(entry, What);
        var identity = Json.String(entry, "identitytoken", What);
        var encoded = Json.String(entry, "auth", What);
        var username = Json.String(entry, "username", What) ?? "";
        var password = Json.String(entry, "password", What) ?? "";
        if (!string.IsNullOrEmpty(encoded))
        {
            var bytes = new byte[encoded.Length];
            if (!Convert.TryFromBase64String(encoded, bytes, out var length))
            {
                throw new RegistryException("an 'auth' is not in base64");
            }

            var text = Encoding.UTF8.GetString(bytes, 0, length);
            var colon = text.IndexOf(':');
            if (colon < 0)
            {
                throw new RegistryException("an 'auth' is not of the form user:password");
            }

            // Some writers pad with NULs.
            (username, password) = (text[..colon], text[(colon + 1)..].TrimEnd('\0'));
        }

        return string.IsNullOrEmpty(identity) && username.Length == 0
            ? null
            : new RegistryCredential { Username = username, Password = password, IdentityToken = identity };
    }

    private static string? Value(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
