namespace OciOstree.Container;

/// <summary>A package database, or a record of one, is not what its format allows.</summary>
public sealed class PackageDatabaseException(string message) : FormatException(message);
