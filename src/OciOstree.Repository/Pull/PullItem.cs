namespace OciOstree.Repository;

/// <summary>An object to bring. A directory on the way to subpaths has the part of them that lies below it, and only that is brought; null is all.</summary>
internal readonly record struct PullItem(ObjectName Name, SubpathSet? Below);
