namespace OciOstree.Registry.Transports;

/// <summary>The <c>index.json</c> of an OCI layout: which manifest goes by which name.</summary>
internal static class LayoutIndex
{
    internal const string FileName = "index.json";
    internal const string LayoutFileName = "oci-layout";

    /// <summary>With the space, as containers/image writes it.</summary>
    internal static ReadOnlySpan<byte> LayoutFileContent => """{"imageLayoutVersion": "1.0.0"}"""u8;

    internal static string BlobPath(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";

    /// <summary>The image of this name, or the only one.</summary>
    internal static Descriptor Find(ImageIndex index, string? name)
    {
        if (name is null)
        {
            return index.Manifests switch
            {
                [var only] => only,
                [] => throw new RegistryException("the layout holds no image"),
                _ => throw new RegistryException($"the layout holds {index.Manifests.Count} images, name one of them{Known(index)}"),
            };
        }

        return index.Manifests.FirstOrDefault(m => NameOf(m) == name)
            ?? throw new RegistryException($"no image is named '{Printable.Clip(name)}'{Known(index)}");
    }

    /// <summary>
    /// The index with one image more, which takes its name from whichever had it. Without a name it takes the place of the
    /// one that had none, so that writing twice leaves an image that can still be opened without a name.
    /// </summary>
    internal static ImageIndex With(ImageIndex index, Descriptor manifest, string? name)
    {
        var entry = manifest with
        {
            Annotations = name is null ? null : new Dictionary<string, string> { [Descriptor.RefNameAnnotation] = name },
        };
        return index with { Manifests = [.. index.Manifests.Where(m => NameOf(m) != name), entry] };
    }

    private static string? NameOf(Descriptor manifest) =>
        manifest.Annotations?.GetValueOrDefault(Descriptor.RefNameAnnotation) is { Length: > 0 } name ? name : null;

    private static string Known(ImageIndex index)
    {
        var names = index.Manifests.Select(NameOf).OfType<string>().Take(12).ToList();
        return names.Count == 0 ? "" : $" (there is {Printable.Clip(string.Join(", ", names))})";
    }
}
