using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>An image that was made.</summary>
/// <param name="Digest">Of the manifest.</param>
/// <param name="Manifest">As written.</param>
/// <param name="Config">As written.</param>
/// <param name="Layers">Lowest first.</param>
/// <param name="KeptArrangement">Whether components are arranged as in the earlier build that was given.</param>
public sealed record EncapsulationResult(Digest Digest, Manifest Manifest, ImageConfig Config, IReadOnlyList<EncapsulatedLayer> Layers, bool KeptArrangement);

/// <summary>A layer that was made.</summary>
/// <param name="Name">What the history says of it.</param>
/// <param name="Blob">The compressed layer.</param>
/// <param name="DiffId">Digest of the uncompressed tar stream.</param>
/// <param name="UncompressedSize">Bytes of the tar stream.</param>
/// <param name="Objects">Content objects in it.</param>
/// <param name="Components">Names of the components in it.</param>
public sealed record EncapsulatedLayer(string Name, Descriptor Blob, Digest DiffId, long UncompressedSize, int Objects, IReadOnlyList<string> Components);
