namespace OciOstree.Registry.Http;

/// <summary>Reads small response bodies whole.</summary>
internal static class BoundedBody
{
    /// <param name="limit">In bytes; a longer body is an error, found before it is held.</param>
    internal static byte[] Read(HttpResponseMessage response, int limit, TimeSpan stallTimeout, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > limit)
        {
            throw new RegistryException($"the reply has {response.Content.Headers.ContentLength} bytes, more than the limit of {limit}");
        }

        // Closing the connection is what ends a blocked read.
        using var cancelled = cancellationToken.Register(response.Dispose);
        try
        {
            using var stream = response.Content.ReadAsStream(cancellationToken);
            using var body = new MemoryStream();
            var buffer = new byte[16 << 10];
            var watch = new StallWatch(stallTimeout);
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                if (body.Length + read > limit)
                {
                    throw new RegistryException($"the reply exceeds the limit of {limit} bytes");
                }

                body.Write(buffer, 0, read);
                watch.Received(read);
            }

            // What is closed between two reads seems to have come to its end.
            cancellationToken.ThrowIfCancellationRequested();
            return body.ToArray();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or HttpRequestException && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
