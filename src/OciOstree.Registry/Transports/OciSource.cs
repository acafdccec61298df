namespace OciOstree.Registry.Transports;

/// <summary><c>oci:</c>, read: a layout in a directory.</summary>
internal sealed class OciSource : LayoutSource
{
    private readonly string directory;

    private OciSource(ImageReference reference, PathAndName place, RegistryOptions options)
        : base(reference, place.Name, options) => directory = place.Path;

    internal static OciSource Open(ImageReference reference, RegistryOptions options) => new(reference, PathAndName.Parse(reference), options);

    protected override Stream Open(string path, out long size) => PlainFile.Open(Path.Combine(directory, path), out size);
}
