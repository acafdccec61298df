namespace OciOstree.Repository;

/// <summary>A server sends more than there may be of something; asking it again would not help, another one may do better.</summary>
internal sealed class OversizedException(long limit) : IOException($"exceeded maximum of {limit} bytes");
