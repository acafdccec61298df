using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>Tells manifests, indexes and things we don't read apart, by their content where a server or a file says nothing.</summary>
internal static class ManifestKind
{
    internal static void RequireSize(long size)
    {
        if (size > Manifest.SizeLimit)
        {
            throw new RegistryException($"manifest of {size} bytes exceeds the limit of {Manifest.SizeLimit}");
        }
    }

    /// <summary>The media type of these bytes. What they say themselves wins over <paramref name="told"/>, which may be wrong or missing.</summary>
    internal static string Detect(ReadOnlyMemory<byte> bytes, string? told)
    {
        RequireSize(bytes.Length);
        return Json.Parse(bytes, "manifest", root =>
        {
            var hasManifests = Json.TryGet(root, "manifests", out _);
            var hasConfig = Json.TryGet(root, "config", out _);

            // Both at once would let one program see an image and another see an index in the same bytes.
            if (hasManifests && (hasConfig || Json.TryGet(root, "layers", out _)))
            {
                throw new RegistryException("invalid manifest: it is both an image and an index");
            }

            if (Json.Int64(root, "schemaVersion", "manifest") == 1)
            {
                throw new RegistryException("unsupported manifest: Docker schema 1");
            }

            var said = Json.String(root, "mediaType", "manifest");
            if (string.IsNullOrEmpty(said))
            {
                said = told;
            }

            if (hasManifests)
            {
                return said is not null && MediaTypes.IsIndex(said) ? said : MediaTypes.OciIndex;
            }

            if (hasConfig)
            {
                return said is not null && MediaTypes.IsManifest(said) ? said : Guess(Descriptor.Read(root.GetProperty("config"), "manifest config"));
            }

            throw new RegistryException($"unsupported manifest type '{Printable.Clip(said)}'");
        });
    }

    internal static string Guess(Descriptor config) =>
        config.MediaType == MediaTypes.DockerConfig ? MediaTypes.DockerManifest : MediaTypes.OciManifest;
}
