using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>The scopes of a policy that an image is in, the narrowest first, without the transport's own default.</summary>
internal static class PolicyScopes
{
    /// <summary>Links in a path that lead to links.</summary>
    private const int LinkLimit = 40;

    internal static IEnumerable<string> Of(ImageReference image) => image.Transport switch
    {
        Transport.Registry => RegistryScopes.Of(RegistryName.Parse(image.Name)),
        Transport.DockerDaemon => OfDaemon(image.Name),
        Transport.Dir => OfPath(image.Name),
        Transport.Oci or Transport.OciArchive => OfPath(image.Name.Split(':')[0]),
        _ => [],
    };

    // An image that is named by its ID is in no scope.
    private static IEnumerable<string> OfDaemon(string name)
    {
        try
        {
            return RegistryScopes.Of(RegistryName.Parse(RegistryName.ParseNormalized(name).ToString()));
        }
        catch (RegistryException)
        {
            return [];
        }
    }

    /// <summary>The path without links, then the directories that lead to it.</summary>
    private static IEnumerable<string> OfPath(string path)
    {
        for (var at = Resolve(path); at.Length > 0; at = at[..Math.Max(at.LastIndexOf('/'), 0)])
        {
            yield return at;
        }
    }

    private static string Resolve(string path)
    {
        var rest = new Stack<string>(Enumerable.Reverse(Path.GetFullPath(path).Split('/')));
        var resolved = "";
        for (var links = 0; rest.TryPop(out var name);)
        {
            if (name is "" or ".")
            {
                continue;
            }

            if (name == "..")
            {
                resolved = resolved[..Math.Max(resolved.LastIndexOf('/'), 0)];
                continue;
            }

            if (new FileInfo($"{resolved}/{name}").LinkTarget is not { } target)
            {
                resolved = $"{resolved}/{name}";
                continue;
            }

            if (++links > LinkLimit)
            {
                throw new ContainerException($"{path} leads through too many links");
            }

            resolved = target.StartsWith('/') ? "" : resolved;
            foreach (var part in Enumerable.Reverse(target.Split('/')))
            {
                rest.Push(part);
            }
        }

        return resolved;
    }
}
