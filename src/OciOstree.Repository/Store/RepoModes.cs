namespace OciOstree.Repository;

/// <summary>The words for modes in a repository's <c>config</c>.</summary>
public static class RepoModes
{
    /// <summary>The word as it is written: an archive calls itself <c>archive-z2</c> in the file, so that old readers know it.</summary>
    public static string ConfigWord(this RepoMode mode) => mode switch
    {
        RepoMode.Bare => "bare",
        RepoMode.BareUser => "bare-user",
        RepoMode.BareUserOnly => "bare-user-only",
        RepoMode.Archive => "archive-z2",
        RepoMode.BareSplitXattrs => "bare-split-xattrs",
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, null),
    };

    /// <summary>Parses a mode's word; both words for archives are known.</summary>
    /// <exception cref="RepositoryException">No mode has that name.</exception>
    public static RepoMode Parse(string word) => word switch
    {
        "bare" => RepoMode.Bare,
        "bare-user" => RepoMode.BareUser,
        "bare-user-only" => RepoMode.BareUserOnly,
        "archive" or "archive-z2" => RepoMode.Archive,
        "bare-split-xattrs" => RepoMode.BareSplitXattrs,
        _ => throw new RepositoryException($"Invalid mode '{word}' in repository configuration"),
    };
}
