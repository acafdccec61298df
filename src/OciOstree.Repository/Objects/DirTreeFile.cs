namespace OciOstree.Repository;

/// <summary>A content object under a name in a directory.</summary>
public readonly record struct DirTreeFile(string Name, Checksum Checksum);
