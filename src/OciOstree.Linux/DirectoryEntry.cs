namespace OciOstree.Linux;

/// <summary>One name in a directory. <c>.</c> and <c>..</c> are never reported.</summary>
public readonly record struct DirectoryEntry(string Name, FileType Type, ulong Inode);
