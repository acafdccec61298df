using System.Globalization;
using System.Net;
using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// The cookies that are sent to a remote's servers, in <c>NAME.cookies.txt</c> of the repository: Netscape's format, a line a cookie with
/// domain, whether subdomains count, path, whether only TLS counts, expiry in seconds since 1970, name and value, parted by tabs.
/// </summary>
public sealed class CookieJar
{
    private const int MaxSize = 1 << 20;

    private readonly Repo repo;
    private readonly string file;

    /// <exception cref="RepositoryException">The name is none that a remote can have.</exception>
    public CookieJar(Repo repo, string remote)
    {
        RefName.ValidateRemote(remote);
        (this.repo, file) = (repo, remote + ".cookies.txt");
    }

    /// <summary>The cookies there are; lines that are none, as comments, are passed over.</summary>
    public IReadOnlyList<RemoteCookie> List() => [.. Lines().Select(Parse).OfType<RemoteCookie>()];

    /// <summary>Adds a cookie that expires in 25 years.</summary>
    /// <exception cref="RepositoryException">A part is empty or has white space in it, which the format cannot hold.</exception>
    public void Add(string domain, string path, string name, string value)
    {
        foreach (string part in (ReadOnlySpan<string>)[domain, path, name, value])
            if (part.Length == 0 || part.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
                throw new RepositoryException($"Invalid cookie: '{part}' is empty or has white space");
        long expires = DateTimeOffset.UtcNow.AddYears(25).ToUnixTimeSeconds();
        Write([.. Lines(), $"{domain}\t{(domain.StartsWith('.') ? "TRUE" : "FALSE")}\t{path}\tFALSE\t{expires}\t{name}\t{value}"]);
    }

    /// <exception cref="RepositoryException">There is no such cookie.</exception>
    public void Delete(string domain, string path, string name)
    {
        string[] lines = Lines();
        string[] left = [.. lines.Where(line => Parse(line) is not { } cookie || cookie.Domain != domain || cookie.Path != path || cookie.Name != name)];
        if (left.Length == lines.Length)
            throw new RepositoryException("Cookie not found in jar");
        Write(left);
    }

    /// <summary>For requests: the cookies that have not expired. Null if there is no jar.</summary>
    internal CookieContainer? Load()
    {
        if (List() is not { Count: > 0 } cookies)
            return null;
        CookieContainer container = new() { Capacity = 3000, PerDomainCapacity = 1000, MaxCookieSize = 64 << 10 };
        foreach (RemoteCookie cookie in cookies)
        {
            if (cookie.Expires != 0 && cookie.Expires <= DateTimeOffset.UtcNow.ToUnixTimeSeconds())
                continue;
            try
            {
                container.Add(new Cookie(cookie.Name, cookie.Value, cookie.Path, cookie.Domain) { Secure = cookie.Secure });
            }
            catch (CookieException e)
            {
                throw new RepositoryException($"Cookie '{cookie.Name}' in {file}", e);
            }
        }
        return container;
    }

    private string[] Lines() => repo.Root.TryReadAllBytes(file, MaxSize) is { } bytes ? Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];

    private void Write(string[] lines) => repo.Root.ReplaceFile(file, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))), 0x1A4, repo.Settings.Fsync);

    private static RemoteCookie? Parse(string line)
    {
        // curl marks cookies that scripts must not see by such a prefix; anything else after "#" is a comment.
        if (line.StartsWith("#HttpOnly_", StringComparison.Ordinal))
            line = line["#HttpOnly_".Length..];
        string[] parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 7 && !line.StartsWith('#') && long.TryParse(parts[4], NumberStyles.None, CultureInfo.InvariantCulture, out long expires)
            ? new RemoteCookie(parts[0], parts[2], parts[3], expires, parts[5], parts[6]) : null;
    }
}
