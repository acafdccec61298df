namespace OciOstree.Container;

/// <summary>A component and the bytes of content that it has in a commit.</summary>
internal sealed record SizedComponent(Component Component, long Size);
