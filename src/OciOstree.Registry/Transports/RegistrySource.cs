using OciOstree.Registry.Configuration;
using OciOstree.Registry.Http;
using OciOstree.Registry.Signatures;

namespace OciOstree.Registry.Transports;

/// <summary><c>docker://</c>, read: an image in a registry or in one of its mirrors.</summary>
internal sealed class RegistrySource : ImageSource, ISignedImageSource
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

    /// <summary>They are looked for where the manifest came from, and under the name that it has there.</summary>
    public ImageSignatures FetchSignatures(Digest manifest, bool isInstance, CancellationToken cancellationToken = default)
    {
        var client = serving ?? throw new InvalidOperationException("no manifest was read");
        var here = new RegistryName(client.Endpoint.Host, client.Endpoint.Repository, name.Tag, name.Digest);
        var places = RegistriesDirectory.Load(Options.RegistriesDirectory);
        var lookaside = places.Lookaside(here) ?? DefaultLookaside();
        if (lookaside.StartsWith('/') || !Uri.TryCreate(lookaside, UriKind.Absolute, out var address))
        {
            throw new RegistryException($"signatures are at '{Printable.Clip(lookaside)}' by {places.Path}, which is no address");
        }

        var found = LookasideStore.Read(address, here.Repository, manifest, Options, cancellationToken);
        var shown = address.GetComponents(UriComponents.AbsoluteUri & ~UriComponents.UserInfo, UriFormat.UriEscaped);
        if (!places.UsesAttachments(here))
        {
            return new ImageSignatures(found, $"looked at {shown}", $", and not in {client.Endpoint} since {places.Path} has no use-sigstore-attachments for it");
        }

        found.AddRange(SigstoreAttachments.Read(client, manifest, blob => this.ReadBlob(blob, ImageSignature.SizeLimit, cancellationToken), cancellationToken));
        return new ImageSignatures(found, $"looked at {shown}", $" and for attachments in {client.Endpoint}");
    }

    private static string DefaultLookaside() =>
        "file://" + (Environment.IsPrivilegedProcess ? "/var/lib/containers/sigstore" : Environment.GetEnvironmentVariable("HOME") + "/.local/share/containers/sigstore");

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
