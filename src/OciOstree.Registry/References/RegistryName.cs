namespace OciOstree.Registry;

/// <summary>
/// A fully qualified image name, <c>host[:port]/path[:tag][@digest]</c>. Names without a host ("short names") are refused:
/// what they would mean depends on the machine.
/// </summary>
/// <param name="Host">With its port, if one is given; <c>docker.io</c> as such.</param>
/// <param name="Repository">The path of the repository.</param>
/// <param name="Tag">Null if only a digest is given; <c>latest</c> if neither is.</param>
/// <param name="Digest">It wins over the tag.</param>
public sealed record RegistryName(string Host, string Repository, string? Tag, Digest? Digest)
{
    /// <summary>What comes after <c>manifests/</c>.</summary>
    public string Reference => Digest is { } digest ? digest.ToString() : Tag!;

    /// <exception cref="RegistryException">It is no such name.</exception>
    public static RegistryName Parse(string text)
    {
        var rest = text;
        Digest? digest = null;
        if (rest.IndexOf('@') is var at and >= 0)
        {
            digest = Registry.Digest.TryParse(rest[(at + 1)..], out var parsed) ? parsed : throw Invalid(text, "what follows the @ is no digest");
            rest = rest[..at];
        }

        string? tag = null;
        if (rest.LastIndexOf(':') is var colon and >= 0 && rest.IndexOf('/', colon) < 0)
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
            if (!IsTag(tag))
            {
                throw Invalid(text, "its tag has characters that no tag has");
            }
        }

        var slash = rest.IndexOf('/');
        var host = slash < 0 ? "" : rest[..slash];
        if (host != "localhost" && host.IndexOfAny(['.', ':']) < 0)
        {
            throw Invalid(text, "short names are not looked up, write it with its registry, such as quay.io/" + Printable.Clip(rest));
        }

        if (host.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"))
        {
            throw Invalid(text, "its host has characters that no host has");
        }

        var repository = rest[(slash + 1)..];
        if (host is "index.docker.io" or "registry-1.docker.io")
        {
            host = "docker.io";
        }

        if (host == "docker.io" && !repository.Contains('/'))
        {
            repository = "library/" + repository;
        }

        if (!repository.Split('/').All(IsPathComponent))
        {
            throw Invalid(text, "a repository is lower-case letters, digits and single . _ - between them");
        }

        return new RegistryName(host, repository, tag ?? (digest is null ? "latest" : null), digest);
    }

    public override string ToString() => $"{Host}/{Repository}{(Tag is null ? "" : ":" + Tag)}{(Digest is { } digest ? "@" + digest : "")}";

    internal static bool IsTag(string tag) =>
        tag.Length is > 0 and <= 128
        && tag[0] is not ('.' or '-')
        && !tag.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    // [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*, as the distribution specification has it.
    private static bool IsPathComponent(string component)
    {
        if (component.Length == 0 || !IsAlphanumeric(component[0]) || !IsAlphanumeric(component[^1]))
        {
            return false;
        }

        for (var i = 1; i < component.Length; i++)
        {
            var (previous, c) = (component[i - 1], component[i]);
            if (IsAlphanumeric(c) || (IsAlphanumeric(previous) && c is '.' or '_' or '-'))
            {
                continue;
            }

            var repeats = previous == c && (c == '-' || (c == '_' && IsAlphanumeric(component[i - 2])));
            if (!repeats)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsAlphanumeric(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9');

    private static RegistryException Invalid(string text, string why) => new($"invalid image name '{Printable.Clip(text)}': {why}");
}
