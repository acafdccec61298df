using System.Net;

namespace OciOstree.Registry.Http;

/// <summary>A reply that was read whole.</summary>
internal sealed record SmallReply(byte[] Body, string? MediaType, string? ContentDigest);
