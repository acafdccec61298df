namespace OciOstree.Repository;

/// <summary>Which static delta: to a commit, from another or, without <paramref name="From"/>, from nothing.</summary>
public readonly record struct DeltaName(Checksum? From, Checksum To) : IComparable<DeltaName>
{
    // 32 bytes in base64 without their padding
    private const int EncodedLength = 43;
    private const string IndexEnding = ".index";

    /// <summary>Below the repository: <c>deltas/AB/CDEF…[-TO]</c>, the checksums in base64 with <c>_</c> for <c>/</c>, split after two characters.</summary>
    public string Directory => "deltas/" + Split(From is { } from ? $"{Encode(from)}-{Encode(To)}" : Encode(To));

    public string Superblock => Directory + "/superblock";

    /// <summary>The path of a part; also the key that an inlined part has in the superblock's metadata.</summary>
    public string Part(int index) => $"{Directory}/{index}";

    /// <summary>The key that the commit's detached metadata has in the superblock's metadata.</summary>
    public string CommitMeta => Directory + "/commitmeta";

    /// <summary>Where the list of all deltas to a commit lies.</summary>
    public static string IndexOf(Checksum to) => "delta-indexes/" + Split(Encode(to)) + IndexEnding;

    /// <summary>As ostree prints it: <c>FROM-TO</c> or <c>TO</c>.</summary>
    public override string ToString() => From is { } from ? $"{from}-{To}" : To.ToString();

    /// <exception cref="RepositoryException">The text is no such name.</exception>
    public static DeltaName Parse(string text)
    {
        string[] parts = text.Split('-', 2);
        foreach (string part in parts)
            if (!Checksum.TryParse(part, out _))
                throw new RepositoryException($"Invalid rev {part}");
        return parts.Length == 2 ? new DeltaName(Checksum.Parse(parts[0]), Checksum.Parse(parts[1])) : new DeltaName(null, Checksum.Parse(parts[0]));
    }

    /// <summary>Reads a name off the two parts of its directory's path.</summary>
    internal static bool TryDecode(string prefix, string rest, out DeltaName name)
    {
        name = default;
        string[] parts = (prefix + rest).Split('-');
        if (prefix.Length != 2 || parts.Length > 2 || !TryDecode(parts[^1], out Checksum to))
            return false;
        Checksum from = default;
        if (parts.Length == 2 && !TryDecode(parts[0], out from))
            return false;
        name = new DeltaName(parts.Length == 2 ? from : null, to);
        return true;
    }

    /// <summary>Reads a commit off the two parts of an index's path.</summary>
    internal static bool TryDecodeIndex(string prefix, string file, out Checksum to)
    {
        to = default;
        return prefix.Length == 2 && file.EndsWith(IndexEnding, StringComparison.Ordinal) && TryDecode(prefix + file[..^IndexEnding.Length], out to);
    }

    /// <summary>By their text.</summary>
    public int CompareTo(DeltaName other) => string.CompareOrdinal(ToString(), other.ToString());

    private static string Split(string encoded) => $"{encoded[..2]}/{encoded[2..]}";

    private static string Encode(Checksum checksum) => Convert.ToBase64String(checksum.ToArray()).TrimEnd('=').Replace('/', '_');

    private static bool TryDecode(string text, out Checksum checksum)
    {
        Span<byte> bytes = stackalloc byte[Checksum.Size];
        checksum = default;
        if (text.Length != EncodedLength || !Convert.TryFromBase64String(text.Replace('_', '/') + "=", bytes, out int length) || length != Checksum.Size)
            return false;
        checksum = Checksum.FromBytes(bytes);
        return true;
    }
}
