namespace OciOstree.Container;

/// <summary>What must be so for an image to be let in.</summary>
/// <param name="Type">As policy.json names it.</param>
internal record PolicyRequirement(string Type)
{
    internal const string AcceptAnything = "insecureAcceptAnything";
    internal const string Reject = "reject";
}
