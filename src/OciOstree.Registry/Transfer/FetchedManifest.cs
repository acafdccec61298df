namespace OciOstree.Registry;

/// <summary>A manifest, and how it was found.</summary>
/// <param name="Bytes">Exactly as stored: the digest is over these.</param>
/// <param name="MediaType">Of the manifest.</param>
/// <param name="Digest">Of the manifest.</param>
/// <param name="Manifest">The bytes read.</param>
/// <param name="IndexDigest">Of the index that it was chosen from; null if the name led straight to it.</param>
public sealed record FetchedManifest(ReadOnlyMemory<byte> Bytes, string MediaType, Digest Digest, Manifest Manifest, Digest? IndexDigest);
