using System.Net;

namespace OciOstree.Repository;

/// <summary>
/// The web proxy that a remote is configured with. As with curl, <c>no_proxy</c> in the environment (hosts and domains, parted by commas, or <c>*</c>)
/// names those that are reached without it.
/// </summary>
internal sealed class RemoteProxy : IWebProxy
{
    private readonly Uri address;
    private readonly string[] without;

    private RemoteProxy(Uri address, string? noProxy)
    {
        this.address = address;
        without = (noProxy ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (address.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var password])
            Credentials = new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password is [var secret] ? secret : ""));
    }

    public ICredentials? Credentials { get; set; }

    /// <summary>Reads <c>[SCHEME://][USER[:PASSWORD]@]HOST[:PORT]</c>; null if it is something else.</summary>
    public static RemoteProxy? Parse(string text) => Parse(text, Environment.GetEnvironmentVariable("no_proxy") ?? Environment.GetEnvironmentVariable("NO_PROXY"));

    internal static RemoteProxy? Parse(string text, string? noProxy)
    {
        // Without a port it is not the web's but curl's own.
        bool hasScheme = text.Contains("://", StringComparison.Ordinal);
        if (!Uri.TryCreate(hasScheme ? text : "http://" + text, UriKind.Absolute, out Uri? parsed) || parsed.Host.Length == 0
            || parsed.Scheme is not ("http" or "https" or "socks4" or "socks4a" or "socks5"))
            return null;
        bool hasPort = !parsed.IsDefaultPort || parsed.Authority.EndsWith(":80", StringComparison.Ordinal) || text.TrimEnd('/').EndsWith($":{parsed.Port}", StringComparison.Ordinal);
        return new RemoteProxy(hasPort ? parsed : new UriBuilder(parsed) { Port = parsed.Scheme == "https" ? 443 : 1080 }.Uri, noProxy);
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : address;

    public bool IsBypassed(Uri host)
    {
        string name = host.IdnHost.TrimEnd('.');
        foreach (string entry in without)
        {
            string domain = entry.Trim('.');
            if (entry == "*" || name.Equals(domain, StringComparison.OrdinalIgnoreCase)
                || domain.Length > 0 && name.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
