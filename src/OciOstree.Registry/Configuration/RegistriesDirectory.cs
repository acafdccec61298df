using OciOstree.Formats.Yaml;
using OciOstree.Linux;

namespace OciOstree.Registry.Configuration;

/// <summary>containers-registries.d(5): where the signatures of images are, by the images' names.</summary>
internal sealed class RegistriesDirectory
{
    private readonly Dictionary<string, SignaturePlace> namespaces = new(StringComparer.Ordinal);
    private SignaturePlace? defaults;

    private RegistriesDirectory(string path) => Path = path;

    /// <summary>The directory.</summary>
    internal string Path { get; }

    /// <summary>The user's directory if there is one, else the machine's.</summary>
    /// <param name="given">The one to read, if not null.</param>
    /// <exception cref="RegistryException">A file in there cannot be read or contradicts another.</exception>
    internal static RegistriesDirectory Load(string? given)
    {
        var own = Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? home + "/.config/containers/registries.d" : null;
        var directory = new RegistriesDirectory(given ?? (own is not null && Directory.Exists(own) ? own : "/etc/containers/registries.d"));
        if (Directory.Exists(directory.Path))
        {
            foreach (var path in Directory.EnumerateFiles(directory.Path, "*.yaml").Order(StringComparer.Ordinal))
            {
                directory.Read(path);
            }
        }

        return directory;
    }

    /// <summary>The base of the signatures in files; null if none is configured.</summary>
    internal string? Lookaside(RegistryName name) => Places(name).Select(place => place.Lookaside).FirstOrDefault(place => place is not null);

    /// <summary>Whether signatures in the image's repository are to be looked for.</summary>
    internal bool UsesAttachments(RegistryName name) => Places(name).Select(place => place.UseSigstoreAttachments).FirstOrDefault(use => use is not null) ?? false;

    // Each setting is taken from the most specific scope that has it.
    private IEnumerable<SignaturePlace> Places(RegistryName name) =>
        RegistryScopes.Of(name).Select(namespaces.GetValueOrDefault).Append(defaults).OfType<SignaturePlace>();

    private void Read(string path)
    {
        try
        {
            var root = YamlMapping.Parse(Files.ReadNamed(path)).Values;
            if (root.GetValueOrDefault("default-docker") is { } value && !IsNull(value))
            {
                defaults = defaults is null ? SignaturePlace.Read("default-docker", value) : throw new RegistryException("another file has default-docker, too");
            }

            if (root.GetValueOrDefault("docker") is { } docker && !IsNull(docker))
            {
                foreach (var (name, place) in (docker as YamlMapping ?? throw new RegistryException("docker is no mapping")).Values)
                {
                    if (!namespaces.TryAdd(name, SignaturePlace.Read(name, place)))
                    {
                        throw new RegistryException($"another file has {name}, too");
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or YamlException or RegistryException)
        {
            throw new RegistryException($"reading {path}: {Printable.Clip(e.Message)}");
        }
    }

    private static bool IsNull(object value) => value is YamlScalar { IsNull: true };
}
