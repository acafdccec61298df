namespace OciOstree.Container;

/// <summary>A package in two versions; nothing is said of which is newer.</summary>
public sealed record PackageUpdate(Package From, Package To);
