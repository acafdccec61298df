using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

public sealed partial class ImageStore
{
    /// <summary>Brings an image with all of its layers into another repository, where it has the same name; linked where the file systems allow.</summary>
    /// <exception cref="ContainerException">There is no such image here.</exception>
    public TransactionStats CopyTo(Repo destination, ImageReference image, CancellationToken cancellationToken = default)
    {
        try
        {
            var stored = Require(image);
            return LocalPull.Run(
                repo,
                destination,
                new LocalPullOptions
                {
                    Refs = [.. stored.Manifest.Layers.Select(layer => ImageRefs.ForLayer(layer.Digest)).Distinct(), ImageRefs.ForImage(image)],

                    // Commits in images may be bound to the branch that they were built on.
                    IgnoreBindings = true,
                },
                cancellationToken);
        }
        catch (Exception e) when (e is ContainerException or RepositoryException)
        {
            throw new ContainerException($"Copying image {image}", e);
        }
    }
}
