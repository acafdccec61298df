using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Polly;
using Polly.Retry;

namespace OciOstree.Registry.Http;

/// <summary>
/// Talks to one registry: finds out whether it speaks TLS, logs in when asked to, follows redirects without taking
/// credentials along, and tries again what may work the next time. Used from several threads.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    private const int RedirectLimit = 10;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    private readonly Endpoint endpoint;
    private readonly RegistryOptions options;
    private readonly TlsTrust trust;
    private readonly HttpClient client;
    private readonly Authenticator authenticator;
    private readonly ResiliencePipeline<HttpResponseMessage> pipeline;
    private readonly TimeSpan replyTimeout;
    private readonly Lazy<Uri> root;

    /// <param name="patience">
    /// How many stall timeouts a reply may take: a registry that stores a large upload elsewhere is silent for long.
    /// </param>
    /// <param name="root">Where it is, if that need not be found out.</param>
    internal RegistryClient(Endpoint endpoint, RegistryOptions options, Func<RegistryCredential?> findCredential, int patience = 1, Uri? root = null)
    {
        this.endpoint = endpoint;
        this.options = options;
        replyTimeout = options.StallTimeout * patience;
        trust = TlsTrust.ForHost(endpoint.Host, options, endpoint.Insecure);
        client = HttpConnector.Create(trust, options, replyTimeout);
        authenticator = new Authenticator(endpoint.Host, client, options, findCredential, endpoint.Insecure);
        pipeline = CreatePipeline(options);
        this.root = new Lazy<Uri>(() => root ?? FindRoot());
    }

    internal Endpoint Endpoint => endpoint;

    /// <summary>Sends a request; the response's body is still to be read. Any status may come back.</summary>
    /// <exception cref="RegistryException">No answer was to be had.</exception>
    internal HttpResponseMessage Send(RegistryRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return pipeline.Execute(token => SendOnce(request, token), cancellationToken);
        }
        catch (Exception e) when (IsBroken(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new RegistryException($"{endpoint.Host}: {Reason(e)}");
        }
    }

    /// <summary>Why no answer came.</summary>
    internal string Reason(Exception e) =>
        e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } && trust.Rejection is { } rejection ? rejection : HttpReason.Of(e);

    /// <summary>Fetches something small and whole; a body that breaks off is asked for again.</summary>
    internal SmallReply Fetch(RegistryRequest request, int limit, CancellationToken cancellationToken) => Fetch(request, limit, mayBeMissing: false, cancellationToken)!;

    /// <summary>The same for what need not be there: null if it is not.</summary>
    internal SmallReply? TryFetch(RegistryRequest request, int limit, CancellationToken cancellationToken) => Fetch(request, limit, mayBeMissing: true, cancellationToken);

    private SmallReply? Fetch(RegistryRequest request, int limit, bool mayBeMissing, CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            using var response = Send(request, cancellationToken);
            if (mayBeMissing && response.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new RegistryException($"{endpoint.Host}: {HttpReason.Of(response)}");
            }

            try
            {
                return new SmallReply(
                    BoundedBody.Read(response, limit, options.StallTimeout, cancellationToken),
                    response.Content.Headers.ContentType?.MediaType,
                    response.Headers.TryGetValues("Docker-Content-Digest", out var said) ? said.First() : null);
            }
            catch (Exception e) when (IsBroken(e))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (++failures > options.Retries)
                {
                    throw new RegistryException($"{endpoint.Host}: {HttpReason.Of(e)}, after {failures} tries");
                }
            }

            Wait(failures, cancellationToken);
        }
    }

    /// <summary>One try, with a broken connection thrown as it is.</summary>
    internal HttpResponseMessage SendOnceUnwrapped(RegistryRequest request, CancellationToken cancellationToken) => SendOnce(request, cancellationToken);

    /// <summary>A request where only a success will do; anything else is an error that says what was refused.</summary>
    internal HttpResponseMessage SendExpecting(RegistryRequest request, string what, CancellationToken cancellationToken)
    {
        var response = Send(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw Refused(response, what);
        }
    }

    internal RegistryException Refused(HttpResponseMessage response, string what) => new($"{what} at {endpoint.Host}: {HttpReason.Of(response)}");

    /// <summary>Whether an exception means that the network, not the registry's answer, was at fault.</summary>
    internal static bool IsBroken(Exception e) => e is HttpRequestException or IOException or TimeoutException;

    /// <summary>The address that a <c>Location</c> header means, held to the registry's own scheme.</summary>
    internal string Resolve(HttpResponseMessage response)
    {
        if (response.Headers.Location is not { } location || !Uri.TryCreate(response.RequestMessage?.RequestUri ?? root.Value, location, out var target))
        {
            throw new RegistryException($"{endpoint.Host} gave no usable Location");
        }

        // A registry behind a proxy that ends TLS may think that it speaks plain HTTP.
        return root.Value.Scheme == "https" && target.Scheme == "http" && target.Host == root.Value.Host
            ? new UriBuilder(target) { Scheme = "https", Port = root.Value.Port }.Uri.AbsoluteUri
            : target.AbsoluteUri;
    }

    /// <summary>Waits before attempt number <paramref name="attempt"/> + 1: the delay doubles each time, with jitter.</summary>
    internal void Wait(int attempt, CancellationToken cancellationToken)
    {
        var delay = options.RetryDelay * Math.Pow(2, Math.Min(attempt - 1, 10)) * (0.75 + (Random.Shared.NextDouble() / 2));
        cancellationToken.WaitHandle.WaitOne(delay < LongestWait ? delay : LongestWait);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => client.Dispose();

    private static ResiliencePipeline<HttpResponseMessage> CreatePipeline(RegistryOptions options)
    {
        if (options.Retries < 1)
        {
            return ResiliencePipeline<HttpResponseMessage>.Empty;
        }

        return new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = options.Retries,
                Delay = options.RetryDelay,
                MaxDelay = LongestWait,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome switch
                {
                    { Exception: { } e } => IsTransient(e),
                    { Result: { } response } => IsTransient(response.StatusCode) && (RetryAfter(response) ?? TimeSpan.Zero) <= LongestWait,
                    _ => false,
                }),
                DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Result is { } response ? RetryAfter(response) : null),
                OnRetry = arguments =>
                {
                    arguments.Outcome.Result?.Dispose();
                    return default;
                },
            })
            .Build();
    }

    private static bool IsTransient(HttpStatusCode status) => status is
        HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private static bool IsTransient(Exception e) => e switch
    {
        // Nobody listens, nobody of that name, or not who it should be: asking again at once changes nothing.
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError } => false,
        HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable } } => false,
        _ => IsBroken(e),
    };

    private static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - DateTimeOffset.UtcNow is { Ticks: > 0 } wait ? wait : TimeSpan.Zero,
        _ => null,
    };

    private HttpResponseMessage SendOnce(RegistryRequest request, CancellationToken cancellationToken)
    {
        var sent = authenticator.Header(request.Scope);
        var response = Follow(request, sent, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
        {
            return response;
        }

        using (response)
        {
            authenticator.Answer(response, request.Scope, sent, cancellationToken);
        }

        sent = authenticator.Header(request.Scope);
        response = Follow(request, sent, cancellationToken);
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            using (response)
            {
                throw authenticator.Refused();
            }
        }

        return response;
    }

    private HttpResponseMessage Follow(RegistryRequest request, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        var target = new Uri(root.Value, request.Target);
        for (var hops = 0; ; hops++)
        {
            // Wherever the registry sends us, by a redirect or with an upload's address.
            if (target.Scheme is not ("https" or "http") || (target.Scheme == "http" && root.Value.Scheme == "https" && !endpoint.Insecure))
            {
                throw new RegistryException($"{endpoint.Host} leads to {target.Scheme} at {target.Host}, which is not secure");
            }

            using var message = new HttpRequestMessage(request.Method, target) { Content = request.Content?.Invoke() };
            message.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent);
            message.Headers.Range = request.Range;
            foreach (var type in request.Accept)
            {
                message.Headers.TryAddWithoutValidation("Accept", type);
            }

            // Credentials are for the registry alone: not for where it sends us, be it only another port.
            if (Uri.Compare(target, root.Value, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0)
            {
                message.Headers.Authorization = authorization;
            }

            var response = Exchange(message, cancellationToken);
            if (!IsRedirect(response.StatusCode) || (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head))
            {
                return response;
            }

            using (response)
            {
                if (hops == RedirectLimit)
                {
                    throw new RegistryException($"{endpoint.Host} redirects more than {RedirectLimit} times");
                }

                target = new Uri(Resolve(response));
            }
        }
    }

    private HttpResponseMessage Exchange(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        // A body takes as long as it takes, and the socket's own timeout watches it; headers alone must come soon.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (message.Content is null)
        {
            limit.CancelAfter(replyTimeout);
        }

        try
        {
            return client.Send(message, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        }
        catch (Exception) when ((message.Content as BlobContent)?.Failure is { } failure)
        {
            // The blob could not be read: what the connection made of that does not matter.
            throw new BlobContentException(failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("timed out");
        }
    }

    private static bool IsRedirect(HttpStatusCode status) => status is
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private Uri FindRoot()
    {
        var secure = MakeRoot("https");
        if (!endpoint.Insecure && !endpoint.PlainHttp)
        {
            return secure;
        }

        // Such a registry may speak either: TLS is tried first, and anything that it answers will do.
        try
        {
            using var limit = new CancellationTokenSource(options.ConnectTimeout);
            using var ping = new HttpRequestMessage(HttpMethod.Get, new Uri(secure, "/v2/"));
            using var response = client.Send(ping, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            return secure;
        }
        catch (Exception e) when (IsBroken(e) || e is OperationCanceledException)
        {
            return endpoint.Insecure || SpeaksNoTls(e) ? MakeRoot("http") : secure;
        }
    }

    /// <summary>Whether the answer was no TLS at all: a handshake that failed, or a certificate turned down, is not a reason to do without.</summary>
    private bool SpeaksNoTls(Exception e) =>
        e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
        && e.GetBaseException() is AuthenticationException
        && trust.Rejection is null;

    private Uri MakeRoot(string scheme) => Uri.TryCreate($"{scheme}://{endpoint.ApiHost}/", UriKind.Absolute, out var uri)
        ? uri
        : throw new RegistryException($"invalid registry '{Printable.Clip(endpoint.Host)}'");
}
