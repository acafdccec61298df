namespace OciOstree.Repository;

/// <summary>Where the files of an SELinux policy are read from. Links are followed, but never out of the tree.</summary>
internal interface IPolicyTree
{
    /// <summary>A file's content; null if there is none.</summary>
    /// <exception cref="RepositoryException">It is longer than <paramref name="limit"/>, or cannot be read.</exception>
    byte[]? TryRead(string path, int limit);

    /// <summary>Whether there is a directory.</summary>
    bool HasDirectory(string path);

    /// <summary>The names of the files in a directory; none if there is no such directory.</summary>
    IEnumerable<string> FileNames(string path);
}
