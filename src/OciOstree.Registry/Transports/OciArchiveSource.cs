namespace OciOstree.Registry.Transports;

/// <summary><c>oci-archive:</c>, read: a layout in a tar file.</summary>
internal sealed class OciArchiveSource : LayoutSource
{
    private readonly ArchiveFile archive;

    private OciArchiveSource(ImageReference reference, string? name, RegistryOptions options, ArchiveFile archive)
        : base(reference, name, options) => this.archive = archive;

    internal static OciArchiveSource Open(ImageReference reference, RegistryOptions options)
    {
        var place = PathAndName.Parse(reference);
        return new OciArchiveSource(reference, place.Name, options, ArchiveFile.Open(place.Path, options));
    }

    /// <summary>An archive that somebody else has opened, with one image in it.</summary>
    internal static OciArchiveSource Over(ImageReference reference, RegistryOptions options, ArchiveFile archive) => new(reference, null, options, archive);

    protected override Stream Open(string path, out long size) => archive.OpenFile(path, out size);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            archive.Dispose();
        }
    }
}
