namespace OciOstree.Registry;

/// <summary>The scopes that an image in a registry is in, as policies and signature configuration name them.</summary>
public static class RegistryScopes
{
    /// <summary>
    /// The narrowest first: <c>host/a/b:tag</c> (or <c>@digest</c>), <c>host/a/b</c>, <c>host/a</c>, <c>host</c>, <c>*.domain</c> … The port is a
    /// part of the host, and not of its domains.
    /// </summary>
    public static IEnumerable<string> Of(RegistryName name)
    {
        yield return name.Digest is { } digest ? $"{name.Name}@{digest}" : $"{name.Name}:{name.Tag}";
        for (var at = name.Name; ; at = at[..at.LastIndexOf('/')])
        {
            yield return at;
            if (!at.Contains('/'))
            {
                break;
            }
        }

        var host = name.Host.Split(':')[0];
        for (var dot = host.IndexOf('.'); dot >= 0; dot = host.IndexOf('.', dot + 1))
        {
            yield return "*" + host[dot..];
        }
    }
}
