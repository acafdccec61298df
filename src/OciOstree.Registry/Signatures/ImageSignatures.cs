namespace OciOstree.Registry;

/// <summary>What was found when looking for signatures of a manifest.</summary>
/// <param name="Places">Where that was, for people: if there is none they want to know.</param>
/// <param name="Attachments">The same of sigstore's alone, to be read on from <paramref name="Places"/>.</param>
public sealed record ImageSignatures(IReadOnlyList<ImageSignature> Found, string Places, string Attachments = "");
