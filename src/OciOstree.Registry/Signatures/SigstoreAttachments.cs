using OciOstree.Registry.Http;
using OciOstree.Registry.Transports;

namespace OciOstree.Registry.Signatures;

/// <summary>
/// Signatures in the image's own repository, as cosign puts them there: an image under the tag <c>sha256-HEX.sig</c>, each layer a payload,
/// its descriptor's annotations the signature.
/// </summary>
internal static class SigstoreAttachments
{
    /// <summary>More than anybody has; each is a request.</summary>
    private const int CountLimit = 1000;

    internal static List<ImageSignature> Read(RegistryClient client, Digest manifest, Func<Descriptor, byte[]> readBlob, CancellationToken cancellationToken)
    {
        var tag = $"{manifest.Algorithm}-{manifest.Hex}.sig";
        var request = new RegistryRequest(HttpMethod.Get, $"/v2/{client.Endpoint.Repository}/manifests/{tag}", RegistryRoutes.PullScope(client.Endpoint)) { Accept = [MediaTypes.OciManifest] };
        try
        {
            if (client.TryFetch(request, Manifest.SizeLimit, cancellationToken) is not { } reply)
            {
                return [];
            }

            if (ManifestKind.Detect(reply.Body, reply.MediaType) is not MediaTypes.OciManifest and var type)
            {
                throw new RegistryException($"it is of type '{Printable.Clip(type)}'");
            }

            var layers = Manifest.Parse(reply.Body).Layers;
            return layers.Count <= CountLimit
                ? [.. layers.Select(layer => new SigstoreSignature(layer.MediaType, layer.MediaType == SigstoreSignature.PayloadType ? readBlob(layer) : [], layer.Annotations ?? new Dictionary<string, string>()))]
                : throw new RegistryException($"it has {layers.Count} layers");
        }
        catch (RegistryException e)
        {
            throw new RegistryException($"reading signatures from {client.Endpoint}:{tag}", e);
        }
    }
}
