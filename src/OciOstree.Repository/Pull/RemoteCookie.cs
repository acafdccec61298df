namespace OciOstree.Repository;

/// <summary>A line of a <see cref="CookieJar"/>.</summary>
/// <param name="Domain">The host, or with a dot before it the hosts below it, too.</param>
/// <param name="SecureText">TRUE or FALSE, as it is in the file.</param>
/// <param name="Expires">Seconds since 1970; 0 is never.</param>
public sealed record RemoteCookie(string Domain, string Path, string SecureText, long Expires, string Name, string Value)
{
    /// <summary>Whether it is only sent over TLS.</summary>
    public bool Secure => SecureText.Equals("TRUE", StringComparison.OrdinalIgnoreCase);
}
