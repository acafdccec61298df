namespace OciOstree.Registry.Transports;

/// <summary><c>oci-archive:</c>, written: a new archive with one image, in the place of the old.</summary>
internal sealed class OciArchiveDestination : ArchiveDestination
{
    private readonly PathAndName place;
    private readonly SortedDictionary<Digest, byte[]> manifests = [];
    private Descriptor? image;

    private OciArchiveDestination(ImageReference reference, PathAndName place)
        : base(reference, DirectoryOf(place.Path)) => this.place = place;

    internal static OciArchiveDestination Open(ImageReference reference) => new(reference, PathAndName.Parse(reference));

    public override void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default)
    {
        var digest = Digest.Compute(bytes.Span);
        manifests[digest] = bytes.ToArray();
        if (!instance)
        {
            image = new Descriptor(mediaType, digest, bytes.Length);
        }
    }

    public override void Finish(CancellationToken cancellationToken = default)
    {
        var index = LayoutIndex.With(
            new ImageIndex { MediaType = null, Manifests = [] },
            image ?? throw new InvalidOperationException("an image needs a manifest"),
            place.Name);
        Publish(place.Path, tar =>
        {
            // Sorted by name, as skopeo's archives are.
            tar.Write(DirectoryEntry("blobs"));
            foreach (var algorithm in Blobs.Keys.Concat(manifests.Keys).GroupBy(d => d.Algorithm).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                tar.Write(DirectoryEntry("blobs/" + algorithm.Key));
                foreach (var digest in algorithm.Distinct().Order())
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (manifests.TryGetValue(digest, out var manifest))
                    {
                        tar.Write(Entry(LayoutIndex.BlobPath(digest), manifest.Length), manifest);
                    }
                    else
                    {
                        using var content = Blobs[digest].OpenRead();
                        tar.Write(Entry(LayoutIndex.BlobPath(digest), Blobs[digest].Length), content);
                    }
                }
            }

            var indexBytes = index.Serialize();
            tar.Write(Entry(LayoutIndex.FileName, indexBytes.Length), indexBytes);
            tar.Write(Entry(LayoutIndex.LayoutFileName, LayoutIndex.LayoutFileContent.Length), LayoutIndex.LayoutFileContent);
        });
    }
}
