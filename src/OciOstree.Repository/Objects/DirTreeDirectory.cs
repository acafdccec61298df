namespace OciOstree.Repository;

/// <summary>A subdirectory: its name, what is in it and what it is like.</summary>
public readonly record struct DirTreeDirectory(string Name, Checksum Tree, Checksum Meta);
