namespace OciOstree.Container;

/// <summary>A requirement that is well-formed and that nobody can meet here: what is not verified is not let in.</summary>
/// <param name="Demand">What it is that cannot be verified.</param>
internal sealed record UnverifiableRequirement(string Type, string Demand) : PolicyRequirement(Type);
