using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>What an entry beneath <c>sysroot/ostree/repo</c> of an ostree layer stands for.</summary>
internal readonly record struct ObjectEntry(ObjectEntry.EntryKind Kind, Checksum Checksum)
{
    internal enum EntryKind
    {
        /// <summary>The skeleton, and the tree's own paths: nothing to import.</summary>
        None,
        Commit,
        CommitMeta,
        DirTree,
        DirMeta,
        File,

        /// <summary>The xattrs of one or more files, named by their own checksum.</summary>
        Xattrs,

        /// <summary>Which xattrs the file of that checksum has: a hard link to <see cref="Xattrs"/>, or their bytes themselves.</summary>
        XattrsLink,
    }

    /// <summary>Reads a path, split, as it stands in the archive.</summary>
    /// <exception cref="ContainerException">It is beneath <c>objects</c> and no object.</exception>
    internal static ObjectEntry Parse(string[] path)
    {
        if (path is not ["sysroot", "ostree", "repo", var area, .. var rest])
        {
            return default;
        }

        switch (area)
        {
            case "objects" when rest is [var directory, var name]:
                return ParseObject(directory, name);
            case "objects":
                throw Invalid(path);
            // Format version 0 kept them here, named by their checksum alone.
            case "xattrs" when rest is [var hex] && Checksum.TryParse(hex, out var checksum):
                return new ObjectEntry(EntryKind.Xattrs, checksum);
            default:
                return default;
        }

        ObjectEntry ParseObject(string directory, string name)
        {
            var dot = name.IndexOf('.');
            if (directory.Length != 2 || dot != 62 || !Checksum.TryParse(directory + name[..dot], out var checksum))
            {
                throw Invalid(path);
            }

            var kind = name[(dot + 1)..] switch
            {
                "commit" => EntryKind.Commit,
                "commitmeta" => EntryKind.CommitMeta,
                "dirtree" => EntryKind.DirTree,
                "dirmeta" => EntryKind.DirMeta,
                "file" => EntryKind.File,
                "file-xattrs" => EntryKind.Xattrs,
                "file-xattrs-link" or "file.xattrs" => EntryKind.XattrsLink,
                _ => throw Invalid(path),
            };
            return new ObjectEntry(kind, checksum);
        }
    }

    private static ContainerException Invalid(string[] path) => new($"'{string.Join('/', path)}' is not the name of an ostree object");
}
