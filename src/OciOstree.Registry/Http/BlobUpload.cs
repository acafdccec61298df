using System.Net;
using System.Net.Http.Headers;

namespace OciOstree.Registry.Http;

/// <summary>
/// Sends one blob (distribution specification 1.1, "Push"): mounted from another repository where that works, else in one
/// <c>PATCH</c> that is taken up again where it broke, else with one <c>PUT</c> where the registry knows no <c>PATCH</c>.
/// </summary>
internal sealed class BlobUpload(RegistryClient client, string scope, Descriptor descriptor, RegistryOptions options)
{
    /// <summary>True if the blob was sent, false if it could be mounted.</summary>
    /// <param name="mountFrom">A repository of the same registry that has the blob.</param>
    /// <param name="open">The blob from its beginning; called once for every try.</param>
    internal bool Run(string? mountFrom, Func<Stream> open, CancellationToken cancellationToken)
    {
        if (Start(mountFrom, cancellationToken) is not { } location)
        {
            return false;
        }

        long sent = 0;
        for (var failures = 0; ;)
        {
            try
            {
                var next = Patch(location, sent, open, cancellationToken);
                if (next is null)
                {
                    // An upload that failed half way may not be good for anything any more.
                    Complete(Restart(cancellationToken), () => new BlobContent(open, 0, descriptor.Size), cancellationToken);
                }
                else
                {
                    Complete(next, null, cancellationToken);
                }

                return true;
            }
            catch (Exception e) when (RegistryClient.IsBroken(e) || e is UploadLostException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (++failures > options.Retries)
                {
                    throw new RegistryException($"sending blob {descriptor.Digest} to {client.Endpoint.Host}: {client.Reason(e)}, after {failures} tries");
                }

                client.Wait(failures, cancellationToken);
                (location, sent) = Resume(location, cancellationToken);
            }
            catch (BlobContentException e)
            {
                throw e.InnerException as RegistryException ?? new RegistryException($"reading blob {descriptor.Digest}", e.InnerException!);
            }
        }
    }

    private string? Start(string? mountFrom, CancellationToken cancellationToken)
    {
        if (mountFrom is not null)
        {
            try
            {
                return Begin(mountFrom, cancellationToken);
            }
            catch (RegistryException)
            {
                // Mounting only saves work: who may not read the other repository can still send the blob.
            }
        }

        return Begin(null, cancellationToken);
    }

    private string? Begin(string? mountFrom, CancellationToken cancellationToken)
    {
        var uploads = $"/v2/{client.Endpoint.Repository}/blobs/uploads/";
        var request = mountFrom is null
            ? new RegistryRequest(HttpMethod.Post, uploads, scope)
            : new RegistryRequest(
                HttpMethod.Post,
                $"{uploads}?mount={Uri.EscapeDataString(descriptor.Digest.ToString())}&from={Uri.EscapeDataString(mountFrom)}",
                $"{scope} repository:{mountFrom}:pull");
        using var response = client.SendExpecting(request with { Content = Empty }, $"sending blob {descriptor.Digest}", cancellationToken);
        return response.StatusCode == HttpStatusCode.Created ? null : client.Resolve(response);
    }

    private string Restart(CancellationToken cancellationToken) =>
        Begin(null, cancellationToken) ?? throw new RegistryException($"{client.Endpoint.Host} says that it has a blob that nobody sent");

    /// <summary>Where to go on; null if the registry knows no PATCH.</summary>
    private string? Patch(string location, long offset, Func<Stream> open, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest(HttpMethod.Patch, location, scope)
        {
            Content = () =>
            {
                var content = new BlobContent(open, offset, descriptor.Size);
                if (offset > 0)
                {
                    // The specification's range has no unit, so the typed header cannot say it.
                    content.Headers.TryAddWithoutValidation("Content-Range", $"{offset}-{descriptor.Size - 1}");
                }

                return content;
            },
        };
        using var response = SendUnwrapped(request, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.Accepted or HttpStatusCode.NoContent or HttpStatusCode.Created or HttpStatusCode.OK:
                return client.Resolve(response);
            case HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented:
                return null;
            case HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.NotFound or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                throw new UploadLostException(HttpReason.Of(response));
            default:
                throw client.Refused(response, $"sending blob {descriptor.Digest}");
        }
    }

    private void Complete(string location, Func<HttpContent>? content, CancellationToken cancellationToken)
    {
        var target = $"{location}{(location.Contains('?') ? '&' : '?')}digest={Uri.EscapeDataString(descriptor.Digest.ToString())}";
        var request = new RegistryRequest(HttpMethod.Put, target, scope) { Content = content ?? Empty };
        using var response = SendUnwrapped(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        throw response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError
            ? new UploadLostException(HttpReason.Of(response))
            : client.Refused(response, $"sending blob {descriptor.Digest}");
    }

    /// <summary>How much of an upload arrived, so as not to send it again; a new upload if nobody knows.</summary>
    private (string Location, long Sent) Resume(string location, CancellationToken cancellationToken)
    {
        using (var response = client.Send(new RegistryRequest(HttpMethod.Get, location, scope), cancellationToken))
        {
            if (response.StatusCode == HttpStatusCode.NoContent
                && response.Headers.TryGetValues("Range", out var values)
                && values.First().Replace("bytes=", "", StringComparison.Ordinal).Split('-') is [_, var end]
                && long.TryParse(end, out var last)
                && last > 0
                && last < descriptor.Size)
            {
                return (response.Headers.Location is null ? location : client.Resolve(response), last + 1);
            }
        }

        return (Restart(cancellationToken), 0);
    }

    /// <summary>Lets a broken connection through as such: here it is not the end.</summary>
    private HttpResponseMessage SendUnwrapped(RegistryRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return client.SendOnceUnwrapped(request, cancellationToken);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError)
        {
            throw new RegistryException($"{client.Endpoint.Host}: {client.Reason(e)}");
        }
    }

    private static HttpContent Empty() => new ByteArrayContent([]);

    private sealed class UploadLostException(string message) : Exception(message);
}
