using System.Globalization;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary><c>ostree remote add-cookie</c> and its like: what a remote's servers are told with each request.</summary>
internal static class RemoteCookieCommands
{
    public static OstreeVerb Add() =>
        new OstreeVerb("add-cookie", "Add a cookie to remote", "NAME DOMAIN PATH COOKIE_NAME VALUE", "ostree remote add-cookie --repo=/srv/repo origin example.org / token s3cret").Does((OstreeCall call) =>
        {
            call.Need(5, "NAME, DOMAIN, PATH, COOKIE_NAME and VALUE must be specified");
            new CookieJar(call.Repo, call.Words[0]).Add(call.Words[1], call.Words[2], call.Words[3], call.Words[4]);
        });

    public static OstreeVerb Delete() =>
        new OstreeVerb("delete-cookie", "Remove one cookie from remote", "NAME DOMAIN PATH COOKIE_NAME", "ostree remote delete-cookie --repo=/srv/repo origin example.org / token").Does((OstreeCall call) =>
        {
            call.Need(4, "NAME, DOMAIN, PATH and COOKIE_NAME must be specified");
            new CookieJar(call.Repo, call.Words[0]).Delete(call.Words[1], call.Words[2], call.Words[3]);
        });

    public static OstreeVerb List() =>
        new OstreeVerb("list-cookies", "Show remote repository cookies", "NAME", "ostree remote list-cookies --repo=/srv/repo origin").Does((OstreeCall call) =>
        {
            call.Need(1, "NAME must be specified");
            foreach (RemoteCookie cookie in new CookieJar(call.Repo, call.Words[0]).List())
            {
                call.Print("--");
                call.Print($"Domain: {cookie.Domain}");
                call.Print($"Path: {cookie.Path}");
                call.Print($"Name: {cookie.Name}");
                call.Print($"Secure: {cookie.SecureText}");
                if (cookie.Expires <= DateTimeOffset.MaxValue.ToUnixTimeSeconds())
                    call.Print($"Expires: {DateTimeOffset.FromUnixTimeSeconds(cookie.Expires).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} +0000");
                call.Print($"Value: {cookie.Value}");
            }
        });
}
