using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace OciOstree.Registry.Http;

/// <summary>Says in a few words why a request failed, without anything secret.</summary>
internal static class HttpReason
{
    private const int ErrorBodyLimit = 64 << 10;
    private static readonly TimeSpan ErrorBodyTime = TimeSpan.FromSeconds(10);

    internal static string Of(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }:
                    return "timed out";
                case TimeoutException timeout:
                    return timeout.Message;
                case SocketException socket:
                    // The one that was thrown repeats the address in its message.
                    return Printable.Clip(new SocketException((int)socket.SocketErrorCode).Message).ToLowerInvariant();
                case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } tls:
                    return $"no TLS connection ({Printable.Clip(tls.GetBaseException().Message).TrimEnd('.')})";
                case HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return "the connection was closed";
                case { InnerException: null }:
                    return Printable.Clip(inner.Message);
            }
        }

        return Printable.Clip(e.Message);
    }

    /// <summary>The status and what the registry says of it in its error document.</summary>
    internal static string Of(HttpResponseMessage response)
    {
        var status = $"{(int)response.StatusCode} {Name(response.StatusCode)}";
        var detail = ReadErrors(response);
        return detail.Length == 0 ? status : $"{status} ({detail})";
    }

    private static string Name(HttpStatusCode status) => status switch
    {
        HttpStatusCode.NotFound => "not found",
        HttpStatusCode.Unauthorized => "authentication required",
        HttpStatusCode.Forbidden => "access denied",
        HttpStatusCode.TooManyRequests => "too many requests",
        _ => status.ToString(),
    };

    private static string ReadErrors(HttpResponseMessage response)
    {
        try
        {
            using var limit = new CancellationTokenSource(ErrorBodyTime);
            using var document = JsonDocument.Parse(BoundedBody.Read(response, ErrorBodyLimit, ErrorBodyTime, limit.Token));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("errors", out var errors)
                || errors.ValueKind != JsonValueKind.Array)
            {
                return "";
            }

            var messages = new List<string>();
            foreach (var error in errors.EnumerateArray().Take(3))
            {
                var message = error.ValueKind == JsonValueKind.Object ? Json.String(error, "message", "error") ?? Json.String(error, "code", "error") : null;
                if (!string.IsNullOrEmpty(message))
                {
                    messages.Add(Printable.Clip(message));
                }
            }

            return string.Join("; ", messages);
        }
        catch (Exception e) when (RegistryClient.IsBroken(e) || e is JsonException or RegistryException or InvalidOperationException or OperationCanceledException)
        {
            // The status says enough; a body that cannot be read must not hide it.
            return "";
        }
    }
}
