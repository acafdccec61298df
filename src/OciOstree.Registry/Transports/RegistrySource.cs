using OciOstree.Registry.Http;

namespace OciOstree.Registry.Transports;

/// <summary><c>docker://</c>, read: an image in a registry or in one of its mirrors.</summary>
internal sealed class RegistrySource : ImageSource
{
    private static readonly string[] ManifestTypes =
        [MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest, MediaTypes.DockerManifestList];

    private readonly RegistryName name;
    private readonly List<RegistryClient> clients;

    /// <summary>The first place that had the image; the others are not asked again.</summary>
    private RegistryClient? serving;

    private RegistrySource(ImageReference reference, RegistryName name, List<RegistryClient> clients, RegistryOptions options)
        : base(reference, options)
    {
        this.name = name;
        this.clients = clients;
    }

    /// <summary>The host and repository that blobs come from, once a manifest has been read.</summary>
    internal Endpoint? ServingEndpoint => serving?.Endpoint;

    internal static RegistrySource Open(ImageReference reference, RegistryOptions options)
    {
        var name = RegistryName.Parse(reference.Name);
        return new RegistrySource(reference, name, RegistryRoutes.Readers(name, options), options);
    }

    public override RawManifest FetchRawManifest(Digest? digest = null, CancellationToken cancellationToken = default)
    {
        if (serving is { } client)
        {
            return Fetch(client, digest, cancellationToken);
        }

        var failures = new List<RegistryException>();
        foreach (var candidate in clients)
        {
            try
            {
                var raw = Fetch(candidate, digest, cancellationToken);
                serving = candidate;
                return raw;
            }
            catch (RegistryException e)
            {
                failures.Add(e);
            }
        }

        throw failures.Count == 1 ? failures[0] : new RegistryException(string.Join("; ", failures.Select(f => f.Message)));
    }

    public override Stream OpenBlob(Descriptor descriptor, CancellationToken cancellationToken = default) => new VerifyingStream(Fetch(descriptor, 0, cancellationToken), descriptor);

    public override Stream OpenBlob(Descriptor descriptor, PartialBlobs partial, CancellationToken cancellationToken = default)
    {
        if (partial.TryOpen(descriptor) is not { } kept)
        {
            return OpenBlob(descriptor, cancellationToken);
        }

        try
        {
            return new VerifyingStream(new ContinuedStream(kept, descriptor.Size, start => Fetch(descriptor, start, cancellationToken)), descriptor, kept.Discard);
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    private ResumingBlobStream Fetch(Descriptor descriptor, long start, CancellationToken cancellationToken)
    {
        var client = serving ?? clients[^1];
        return new ResumingBlobStream(client, RegistryRoutes.PullScope(client.Endpoint), descriptor, start, Options, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    private RawManifest Fetch(RegistryClient client, Digest? digest, CancellationToken cancellationToken)
    {
        var wanted = digest ?? name.Digest;
        var reference = wanted is { } d ? d.ToString() : name.Reference;
        var request = new RegistryRequest(HttpMethod.Get, $"/v2/{client.Endpoint.Repository}/manifests/{reference}", RegistryRoutes.PullScope(client.Endpoint))
        {
            Accept = ManifestTypes,
        };
        var reply = client.Fetch(request, Manifest.SizeLimit, cancellationToken);
        if (wanted is { } expected)
        {
            return Verified(reply.Body, expected, reply.MediaType);
        }

        // A tag says nothing of the bytes, but a registry that contradicts itself is not to be believed.
        return Digest.TryParse(reply.ContentDigest, out var claimed) && !claimed.Matches(reply.Body)
            ? throw new RegistryException($"the manifest does not have the digest {claimed} that {client.Endpoint.Host} gives it")
            : new RawManifest(reply.Body, ManifestKind.Detect(reply.Body, reply.MediaType), Digest.Compute(reply.Body));
    }
}
