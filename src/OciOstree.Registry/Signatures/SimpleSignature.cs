namespace OciOstree.Registry;

/// <summary>"Simple signing": a signed OpenPGP message that holds a JSON document about the image.</summary>
public sealed record SimpleSignature(ReadOnlyMemory<byte> Message) : ImageSignature;
