using System.Net;
using OciOstree.Registry.Http;

namespace OciOstree.Registry.Transports;

/// <summary><c>docker://</c>, written.</summary>
internal sealed class RegistryDestination : ImageDestination
{
    private readonly RegistryName name;
    private readonly RegistryClient client;
    private readonly RegistryOptions options;
    private readonly string scope;
    private (byte[] Bytes, string MediaType)? manifest;

    private RegistryDestination(ImageReference reference, RegistryName name, RegistryOptions options)
        : base(reference)
    {
        this.name = name;
        this.options = options;
        client = RegistryRoutes.Writer(name, options);
        scope = RegistryRoutes.PushScope(client.Endpoint);
    }

    /// <summary>The repository that blobs come from, if it is on the same registry: they are mounted from there instead of sent.</summary>
    internal Func<Endpoint?> MountFrom { get; set; } = () => null;

    protected override string SpoolDirectory => options.TemporaryDirectory;

    internal static RegistryDestination Open(ImageReference reference, RegistryOptions options) =>
        new(reference, RegistryName.Parse(reference.Name), options);

    public override bool HasBlob(Digest digest, long size, CancellationToken cancellationToken = default)
    {
        var request = new RegistryRequest(HttpMethod.Head, $"/v2/{client.Endpoint.Repository}/blobs/{digest}", scope);
        using var response = client.Send(request, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => response.Content.Headers.ContentLength is not { } length || length == size,
            HttpStatusCode.NotFound => false,
            _ => throw client.Refused(response, $"looking for blob {digest}"),
        };
    }

    public override void PutBlob(Descriptor descriptor, Func<Stream> open, CancellationToken cancellationToken = default)
    {
        if (HasBlob(descriptor.Digest, descriptor.Size, cancellationToken))
        {
            CountSkipped(descriptor.Size);
        }
        else if (new BlobUpload(client, scope, descriptor, options).Run(MountSource(), () => OpenVerified(descriptor, open), cancellationToken))
        {
            CountSent(descriptor.Size);
        }
        else
        {
            CountSkipped(descriptor.Size);
        }
    }

    public override void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default)
    {
        if (instance)
        {
            Send(bytes.ToArray(), mediaType, Digest.Compute(bytes.Span).ToString(), cancellationToken);
        }
        else
        {
            manifest = (bytes.ToArray(), mediaType);
        }
    }

    public override void Finish(CancellationToken cancellationToken = default)
    {
        var (bytes, mediaType) = manifest ?? throw new InvalidOperationException("an image needs a manifest");
        if (name.Digest is { } wanted && !wanted.Matches(bytes))
        {
            throw new RegistryException($"the image's digest is {Digest.Compute(bytes)}, not the {wanted} that it should be written as");
        }

        Send(bytes, mediaType, name.Reference, cancellationToken);
    }

    protected override void StoreBlob(SpoolFile spool, Descriptor descriptor, CancellationToken cancellationToken) =>
        new BlobUpload(client, scope, descriptor, options).Run(null, () => spool.OpenRead(), cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            client.Dispose();
        }
    }

    private string? MountSource() => MountFrom() is { } from && from.Host == client.Endpoint.Host && from.Repository != client.Endpoint.Repository ? from.Repository : null;

    private void Send(byte[] bytes, string mediaType, string reference, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest(HttpMethod.Put, $"/v2/{client.Endpoint.Repository}/manifests/{reference}", scope)
        {
            Content = () => new ByteArrayContent(bytes) { Headers = { ContentType = new(mediaType) } },
        };
        using var response = client.SendExpecting(request, $"writing manifest {reference}", cancellationToken);
        if (response.Headers.TryGetValues("Docker-Content-Digest", out var said) && Digest.TryParse(said.First(), out var stored) && !stored.Matches(bytes))
        {
            throw new RegistryException($"{client.Endpoint.Host} stored the manifest under the digest {stored}, which is not its");
        }
    }
}
