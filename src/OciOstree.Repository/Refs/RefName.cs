namespace OciOstree.Repository;

/// <summary>What refs, remotes and collections may be called.</summary>
public static class RefName
{
    /// <summary>A part of a ref between slashes: ASCII letters, digits and <c>_</c>, then also <c>-</c> and <c>.</c>.</summary>
    public static bool IsValidFragment(ReadOnlySpan<char> fragment)
    {
        if (fragment.Length == 0 || !IsWord(fragment[0]))
            return false;
        foreach (char c in fragment)
            if (!IsWord(c) && c is not ('-' or '.'))
                return false;
        return true;

        static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
    }

    public static bool IsValid(ReadOnlySpan<char> name)
    {
        foreach (Range part in name.Split('/'))
            if (!IsValidFragment(name[part]))
                return false;
        return true;
    }

    /// <exception cref="RepositoryException">The name is none that a ref can have.</exception>
    public static void Validate(string name)
    {
        if (!IsValid(name))
            throw new RepositoryException($"Invalid ref name {name}");
        if (Checksum.TryParse(name, out _))
            throw new RepositoryException($"Rev name '{name}' looks like a checksum");
    }

    /// <exception cref="RepositoryException">The name is none that a remote can have.</exception>
    public static void ValidateRemote(string name)
    {
        if (!IsValidFragment(name))
            throw new RepositoryException($"Invalid remote name {name}");
    }

    /// <summary>Whether a collection ID is like a D-Bus name: two or more words joined by dots, none beginning with a digit, 255 characters at most.</summary>
    public static bool IsValidCollectionId(string id)
    {
        string[] parts = id.Split('.');
        return id.Length <= 255 && parts.Length >= 2 && parts.All(part =>
            part.Length > 0 && !char.IsAsciiDigit(part[0]) && part.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'));
    }

    /// <exception cref="RepositoryException">The ID is none that a collection can have.</exception>
    public static void ValidateCollectionId(string id)
    {
        if (!IsValidCollectionId(id))
            throw new RepositoryException($"Invalid collection ID {id}");
    }
}
