namespace OciOstree.Container;

/// <summary>An installed package, as a tree's package database has it.</summary>
/// <param name="Kind">The package manager's format.</param>
/// <param name="Version">In full, as the package manager compares it: with epoch and release, where there are such.</param>
/// <param name="Architecture">In the package manager's words; empty if it says none.</param>
public sealed record Package(PackageKind Kind, string Name, string Version, string Architecture)
{
    public override string ToString() => Architecture.Length == 0 ? $"{Name} {Version}" : $"{Name} {Version} ({Architecture})";
}
