namespace OciOstree.Repository;

/// <summary>Where an object is below <c>objects/</c> or a staging directory: <c>ab/cdef….dirtree</c>.</summary>
internal static class LoosePath
{
    /// <summary>The relative path of an object; a content object's ending says whether it is compressed.</summary>
    public static string Of(Checksum checksum, ObjectType type, RepoMode mode)
    {
        string ending = type == ObjectType.File && mode == RepoMode.Archive ? "filez" : type.Word();
        return string.Create(Checksum.HexLength + 2 + ending.Length, (checksum, ending), static (path, state) =>
        {
            state.checksum.FormatHex(path[1..]);
            path[0] = path[1];
            path[1] = path[2];
            path[2] = '/';
            path[Checksum.HexLength + 1] = '.';
            state.ending.CopyTo(path[(Checksum.HexLength + 2)..]);
        });
    }

    public static string Of(ObjectName name, RepoMode mode) => Of(name.Checksum, name.Type, mode);

    /// <summary>The two digits that name an object directory.</summary>
    public static string Prefix(int firstByte) => Prefixes[firstByte];

    private static readonly string[] Prefixes = [.. Enumerable.Range(0, 256).Select(i => i.ToString("x2"))];

    /// <summary>Reads an object's name off the two parts of its path; false for anything else that lies about, and for the other modes' content.</summary>
    public static bool TryParse(string prefix, string file, RepoMode mode, out ObjectName name)
    {
        name = default;
        int dot = Checksum.HexLength - 2;
        if (file.Length < dot + 2 || file[dot] != '.')
            return false;
        Span<char> hex = stackalloc char[Checksum.HexLength];
        prefix.CopyTo(hex);
        file.AsSpan(0, dot).CopyTo(hex[2..]);
        ReadOnlySpan<char> ending = file.AsSpan(dot + 1);
        if (!Checksum.TryParse(hex, out Checksum checksum) || !ObjectTypes.TryParse(ending, out ObjectType type)
            || type == ObjectType.File && ending.SequenceEqual("filez") != (mode == RepoMode.Archive))
            return false;
        name = new ObjectName(checksum, type);
        return true;
    }
}
