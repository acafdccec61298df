namespace OciOstree.Registry.Http;

/// <summary>A request failed because its body could not be read, not because of the registry.</summary>
internal sealed class BlobContentException(Exception failure) : Exception(failure.Message, failure);
