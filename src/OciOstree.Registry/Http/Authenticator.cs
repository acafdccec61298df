using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace OciOstree.Registry.Http;

/// <summary>
/// Answers a registry's challenges: Basic, or Bearer with a token from the registry's token server (the distribution
/// project's token authentication; RFC 6749 for refresh tokens). Tokens are kept until shortly before they expire.
/// </summary>
internal sealed class Authenticator(string host, HttpClient client, RegistryOptions options, Func<RegistryCredential?> findCredential, bool insecure)
{
    private const int ReplyLimit = 1 << 20;
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, (AuthenticationHeaderValue Header, DateTime Expiry)> tokens = new(StringComparer.Ordinal);
    private readonly Lazy<RegistryCredential?> credential = new(findCredential);
    private AuthenticationHeaderValue? basic;

    /// <summary>What to send along with a request of this scope, if it is known already.</summary>
    internal AuthenticationHeaderValue? Header(string scope)
    {
        lock (gate)
        {
            return basic ?? (tokens.TryGetValue(scope, out var token) && token.Expiry > DateTime.UtcNow ? token.Header : null);
        }
    }

    /// <summary>Gets what a 401 response asks for.</summary>
    /// <param name="rejected">What that request had sent: another thread may have got a better one since.</param>
    /// <exception cref="RegistryException">There is no answer.</exception>
    internal void Answer(HttpResponseMessage response, string scope, AuthenticationHeaderValue? rejected, CancellationToken cancellationToken)
    {
        var challenges = response.Headers.TryGetValues("WWW-Authenticate", out var values) ? values.SelectMany(Challenge.Parse).ToList() : [];

        // Held while asking, so that many threads that begin at once ask once.
        lock (gate)
        {
            if (Header(scope) is { } current && !current.Equals(rejected))
            {
                return;
            }

            if (challenges.Find(c => c.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)) is { } bearer)
            {
                tokens[scope] = RequestToken(bearer, scope, cancellationToken);
            }
            else if (challenges.Exists(c => c.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)))
            {
                basic = basic is null ? Basic(credential.Value ?? throw NoCredential()) : throw Refused();
            }
            else
            {
                throw new RegistryException($"{host}: {HttpReason.Of(response)}");
            }
        }
    }

    /// <summary>For an answer that was not good enough.</summary>
    internal RegistryException Refused() => credential.Value is { } known
        ? new RegistryException($"{host} refused the credentials of {Name(known)}")
        : NoCredential();

    private static string Name(RegistryCredential credential) => credential.Username.Length == 0 ? "the token" : Printable.Clip(credential.Username);

    private static AuthenticationHeaderValue Basic(RegistryCredential credential) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Password}")));

    private (AuthenticationHeaderValue Header, DateTime Expiry) RequestToken(Challenge challenge, string scope, CancellationToken cancellationToken)
    {
        if (!challenge.Parameters.TryGetValue("realm", out var realm)
            || !Uri.TryCreate(realm, UriKind.Absolute, out var address)
            || address.Scheme is not ("http" or "https"))
        {
            throw new RegistryException($"{host} names no token server to log in at");
        }

        var known = credential.Value;
        if (known is not null && address.Scheme != "https" && !insecure)
        {
            throw new RegistryException($"the token server {address.Host} of {host} does not speak TLS: not sending it credentials");
        }

        using var request = TokenRequest(address, challenge.Parameters.GetValueOrDefault("service"), scope, known);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(options.StallTimeout);
            using var response = client.Send(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest)
            {
                throw known is null
                    ? NoCredential()
                    : new RegistryException($"token server {address.Host} refused the credentials of {Name(known)} for {host}");
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new RegistryException($"token server {address.Host}: {HttpReason.Of(response)}");
            }

            return ReadToken(BoundedBody.Read(response, ReplyLimit, options.StallTimeout, limit.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RegistryException($"token server {address.Host}: timed out");
        }
        catch (Exception e) when (RegistryClient.IsBroken(e))
        {
            throw new RegistryException($"token server {address.Host}: {HttpReason.Of(e)}");
        }
    }

    private HttpRequestMessage TokenRequest(Uri realm, string? service, string scope, RegistryCredential? known)
    {
        HttpRequestMessage request;
        if (known?.IdentityToken is { Length: > 0 } identity)
        {
            request = new HttpRequestMessage(HttpMethod.Post, realm)
            {
                Content = new FormUrlEncodedContent(new Dictionary<string, string>
                {
                    ["grant_type"] = "refresh_token",
                    ["refresh_token"] = identity,
                    ["service"] = service ?? "",
                    ["scope"] = scope,
                    ["client_id"] = options.UserAgent,
                }),
            };
        }
        else
        {
            var query = new StringBuilder(realm.Query.Length > 1 ? realm.Query + "&" : "?");
            query.Append(known is { Username.Length: > 0 } ? $"account={Uri.EscapeDataString(known.Username)}&" : "");
            query.AppendJoin('&', scope.Split(' ').Select(s => "scope=" + Uri.EscapeDataString(s)));
            query.Append(service is null ? "" : "&service=" + Uri.EscapeDataString(service));
            request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString() }.Uri);
            request.Headers.Authorization = known is null ? null : Basic(known);
        }

        request.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent);
        return request;
    }

    private (AuthenticationHeaderValue Header, DateTime Expiry) ReadToken(byte[] reply)
    {
        const string What = "reply of the token server";
        return Json.Parse(reply, What, root =>
        {
            var token = Json.String(root, "token", What) ?? Json.String(root, "access_token", What);
            if (string.IsNullOrEmpty(token) || token.AsSpan().ContainsAnyInRange('\0', ' '))
            {
                throw new RegistryException($"invalid {What} of {host}: no token");
            }

            // A token without a lifetime lives a minute; none is believed to live for more than a day.
            var seconds = Math.Clamp(Json.Int64(root, "expires_in", What) ?? 60, 60, 86400);
            return (new AuthenticationHeaderValue("Bearer", token), DateTime.UtcNow.AddSeconds(seconds) - Margin);
        });
    }

    private RegistryException NoCredential() =>
        new(options.Anonymous ? $"{host} requires credentials" : $"{host} requires credentials and there are none for it in any auth.json");
}
