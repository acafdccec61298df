namespace OciOstree.Repository;

/// <summary>The words and file name endings of object types.</summary>
public static class ObjectTypes
{
    /// <summary>The word that follows the dot in an object's name.</summary>
    public static string Word(this ObjectType type) => type switch
    {
        ObjectType.File => "file",
        ObjectType.DirTree => "dirtree",
        ObjectType.DirMeta => "dirmeta",
        ObjectType.Commit => "commit",
        ObjectType.TombstoneCommit => "tombstone-commit",
        ObjectType.CommitMeta => "commitmeta",
        ObjectType.PayloadLink => "payload-link",
        ObjectType.FileXattrs => "file-xattrs",
        ObjectType.FileXattrsLink => "file-xattrs-link",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>Finds a type by its word; <c>filez</c> is the archive's word for <see cref="ObjectType.File"/>.</summary>
    public static bool TryParse(ReadOnlySpan<char> word, out ObjectType type)
    {
        type = word switch
        {
            "file" or "filez" => ObjectType.File,
            "dirtree" => ObjectType.DirTree,
            "dirmeta" => ObjectType.DirMeta,
            "commit" => ObjectType.Commit,
            "tombstone-commit" => ObjectType.TombstoneCommit,
            "commitmeta" => ObjectType.CommitMeta,
            "payload-link" => ObjectType.PayloadLink,
            "file-xattrs" => ObjectType.FileXattrs,
            "file-xattrs-link" => ObjectType.FileXattrsLink,
            _ => 0,
        };
        return type != 0;
    }

    /// <summary>Whether the object is a serialised variant named by the digest of its bytes.</summary>
    public static bool IsMetadata(this ObjectType type) => type is ObjectType.DirTree or ObjectType.DirMeta or ObjectType.Commit;
}
