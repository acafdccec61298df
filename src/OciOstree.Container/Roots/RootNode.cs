using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>A file of a <see cref="RootTree"/>, by its name in its directory. Links are not followed.</summary>
public sealed class RootNode
{
    private SortedDictionary<string, RootNode>? children;

    internal RootNode(RootNode? parent, string name) => (Parent, Name) = (parent, name);

    /// <summary>Null for the root.</summary>
    public RootNode? Parent { get; }

    /// <summary>Bytes that are not UTF-8 are carried as <see cref="FileName"/> does; empty for the root.</summary>
    public string Name { get; }

    public FileType Type { get; internal set; }

    /// <summary>The bits beneath the type's.</summary>
    public uint Permissions { get; internal set; }

    public uint Uid { get; internal set; }

    public uint Gid { get; internal set; }

    /// <summary>Bytes of content of a regular file.</summary>
    public long Size { get; internal set; }

    /// <summary>Where a symbolic link leads; null for everything else.</summary>
    public string? LinkTarget { get; internal set; }

    /// <summary>Something is mounted here, so that it is no part of the image. What a directory has then is unknown.</summary>
    public bool IsMount { get; internal set; }

    /// <summary>In the order of their names' characters.</summary>
    public IEnumerable<RootNode> Children => children?.Values ?? Enumerable.Empty<RootNode>();

    public bool IsEmpty => children is null or { Count: 0 };

    public bool IsDirectory => Type == FileType.Directory;

    public bool IsFile => Type == FileType.RegularFile;

    public bool IsLink => Type == FileType.SymbolicLink;

    /// <summary>From the root, with a leading slash.</summary>
    public string Path => Parent is null ? "/" : Parent.Parent is null ? "/" + Name : $"{Parent.Path}/{Name}";

    /// <summary>How the content is found again; what it means is the tree's business.</summary>
    internal object? Content { get; set; }

    /// <summary>The layer that has it, from the bottom.</summary>
    internal int Layer { get; set; }

    public RootNode? Child(string name) => children?.GetValueOrDefault(name);

    /// <summary>The file itself and everything in it, directories before what they hold.</summary>
    public IEnumerable<RootNode> Walk()
    {
        var waiting = new Stack<RootNode>();
        waiting.Push(this);
        while (waiting.TryPop(out var node))
        {
            yield return node;
            if (node.children is { } held)
            {
                foreach (var child in held.Values.Reverse())
                {
                    waiting.Push(child);
                }
            }
        }
    }

    /// <summary>The child of that name, made if there is none. What it is, is still to be said.</summary>
    internal RootNode GetOrAdd(string name)
    {
        children ??= new SortedDictionary<string, RootNode>(StringComparer.Ordinal);
        if (!children.TryGetValue(name, out var child))
        {
            children.Add(name, child = new RootNode(this, name));
        }

        return child;
    }

    internal void Remove(string name) => children?.Remove(name);

    internal void RemoveChildren() => children = null;

    /// <summary>Takes on what another file is; names and places stay.</summary>
    internal void Become(RootNode other) =>
        (Type, Permissions, Uid, Gid, Size, LinkTarget, Content) = (other.Type, other.Permissions, other.Uid, other.Gid, other.Size, other.LinkTarget, other.Content);
}
