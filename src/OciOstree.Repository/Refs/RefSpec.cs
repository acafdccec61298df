namespace OciOstree.Repository;

/// <summary>A ref of this repository, or with a remote's name before it one that was pulled from there: <c>REMOTE:NAME</c>.</summary>
public readonly record struct RefSpec(string? Remote, string Name)
{
    public override string ToString() => Remote is null ? Name : $"{Remote}:{Name}";

    /// <exception cref="RepositoryException">A part is no valid name.</exception>
    public static RefSpec Parse(string text)
    {
        int colon = text.IndexOf(':');
        RefSpec parsed = colon < 0 ? new RefSpec(null, text) : new RefSpec(text[..colon], text[(colon + 1)..]);
        return RefName.IsValid(parsed.Name) && (parsed.Remote is null || RefName.IsValidFragment(parsed.Remote))
            ? parsed : throw new RepositoryException($"Invalid refspec {text}");
    }

    internal string Path => Remote is null ? $"refs/heads/{Name}" : $"refs/remotes/{Remote}/{Name}";
}
