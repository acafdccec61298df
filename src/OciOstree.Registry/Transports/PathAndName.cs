namespace OciOstree.Registry.Transports;

/// <summary>The <c>PATH[:NAME]</c> that names an image in a layout or an archive: the first colon divides them.</summary>
internal readonly record struct PathAndName(string Path, string? Name)
{
    internal static PathAndName Parse(ImageReference reference)
    {
        var colon = reference.Name.IndexOf(':');
        var path = colon < 0 ? reference.Name : reference.Name[..colon];
        if (path.Length == 0)
        {
            throw new RegistryException($"invalid image reference '{Printable.Clip(reference.ToString())}': no path");
        }

        return new PathAndName(path, colon < 0 || colon == reference.Name.Length - 1 ? null : reference.Name[(colon + 1)..]);
    }
}
