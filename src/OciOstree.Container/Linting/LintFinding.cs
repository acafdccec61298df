namespace OciOstree.Container;

/// <summary>Something that a lint found.</summary>
/// <param name="Lint">Which one.</param>
/// <param name="Path">Where, with a leading slash.</param>
/// <param name="What">What is there, or missing.</param>
public sealed record LintFinding(Lint Lint, string Path, string What);
