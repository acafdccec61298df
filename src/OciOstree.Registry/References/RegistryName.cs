namespace OciOstree.Registry;

/// <summary>
/// A fully qualified image name, <c>host[:port]/path[:tag][@digest]</c>. Names without a host ("short names") are refused:
/// what they would mean depends on the machine.
/// </summary>
/// <param name="Host">With its port, if one is given; <c>docker.io</c> as such.</param>
/// <param name="Repository">The path of the repository.</param>
/// <param name="Tag">Null if only a digest is given; <c>latest</c> if neither is (null from <see cref="ParseNormalized"/>).</param>
/// <param name="Digest">It wins over the tag.</param>
public sealed record RegistryName(string Host, string Repository, string? Tag, Digest? Digest)
{
    /// <summary>What comes after <c>manifests/</c>. There is one in every name that an image is opened by.</summary>
    public string Reference => Digest is { } digest ? digest.ToString() : Tag!;

    /// <summary>Without tag and digest.</summary>
    public string Name => $"{Host}/{Repository}";

    /// <exception cref="RegistryException">It is no such name.</exception>
    public static RegistryName Parse(string text)
    {
        var (rest, tag, digest) = Split(text);
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

        return Complete(text, host, rest[(slash + 1)..], tag ?? (digest is null ? "latest" : null), digest);
    }

    /// <summary>
    /// Reads a name as signatures and policies write it: a short one is <c>docker.io</c>'s, on every machine, and nothing takes the place of a
    /// missing tag.
    /// </summary>
    /// <exception cref="RegistryException">It is no such name.</exception>
    public static RegistryName ParseNormalized(string text)
    {
        const int NameLimit = 255;
        var (rest, tag, digest) = Split(text);
        if (text.Length == 64 && !text.AsSpan().ContainsAnyExcept("0123456789abcdef"))
        {
            throw Invalid(text, "it looks like the ID of an image");
        }

        var slash = rest.IndexOf('/');
        var isShort = slash < 0 || (rest[..slash] != "localhost" && rest[..slash].IndexOfAny(['.', ':']) < 0);
        var host = isShort ? "docker.io" : rest[..slash];
        if (!IsHost(host))
        {
            throw Invalid(text, "its host has characters that no host has");
        }

        var name = Complete(text, host, isShort ? rest : rest[(slash + 1)..], tag, digest);
        return name.Name.Length <= NameLimit ? name : throw Invalid(text, $"it has more than {NameLimit} characters");
    }

    /// <summary>Whether it is <c>host</c> or <c>host:port</c>.</summary>
    public static bool IsHost(string text)
    {
        var colon = text.IndexOf(':');
        return (colon < 0 || (colon < text.Length - 1 && !text.AsSpan(colon + 1).ContainsAnyExceptInRange('0', '9')))
            && (colon < 0 ? text : text[..colon]).Split('.').All(label => label.Length > 0 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
    }

    public override string ToString() => $"{Name}{(Tag is null ? "" : ":" + Tag)}{(Digest is { } digest ? "@" + digest : "")}";

    internal static bool IsTag(string tag) =>
        tag.Length is > 0 and <= 128
        && tag[0] is not ('.' or '-')
        && !tag.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private static (string Path, string? Tag, Digest? Digest) Split(string text)
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

        return (rest, tag, digest);
    }

    private static RegistryName Complete(string text, string host, string repository, string? tag, Digest? digest)
    {
        if (host is "index.docker.io" or "registry-1.docker.io")
        {
            host = "docker.io";
        }

        if (host == "docker.io" && !repository.Contains('/'))
        {
            repository = "library/" + repository;
        }

        return repository.Split('/').All(IsPathComponent)
            ? new RegistryName(host, repository, tag, digest)
            : throw Invalid(text, "a repository is lower-case letters, digits and single . _ - between them");
    }

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
