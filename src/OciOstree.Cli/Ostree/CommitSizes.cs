using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>The sizes of a commit's objects in its <c>ostree.sizes</c> metadata.</summary>
internal static class CommitSizes
{
    /// <param name="Archived">Bytes in an archive repository.</param>
    /// <param name="Unpacked">Bytes of the content.</param>
    public readonly record struct Entry(ObjectName Name, long Archived, long Unpacked);

    /// <exception cref="RepositoryException">The commit has none, or they are damaged.</exception>
    public static IEnumerable<Entry> Read(Commit commit)
    {
        Variant sizes = commit.Metadata.Lookup("ostree.sizes", "aay") ?? throw new RepositoryException("No metadata key ostree.sizes in commit");
        foreach (Variant item in sizes.Children)
        {
            ReadOnlyMemory<byte> data = item.AsBytes();
            if (data.Length < Checksum.Size)
                throw new RepositoryException("Invalid object size metadata entry");
            Checksum checksum = Checksum.FromBytes(data.Span[..Checksum.Size]);
            int at = Checksum.Size;
            long archived = ReadNumber(data.Span, ref at);
            long unpacked = ReadNumber(data.Span, ref at);
            // Entries written before 2020 do not tell the type: they are files.
            var type = at < data.Length ? (ObjectType)data.Span[at] : ObjectType.File;
            yield return new Entry(new ObjectName(checksum, type), archived, unpacked);
        }
    }

    // Seven bits a byte, the lowest first; the eighth says that more follow.
    private static long ReadNumber(ReadOnlySpan<byte> data, ref int at)
    {
        long value = 0;
        for (int shift = 0; shift < 63; shift += 7)
        {
            if (at >= data.Length)
                break;
            byte b = data[at++];
            value |= (long)(b & 0x7f) << shift;
            if ((b & 0x80) == 0)
                return value;
        }
        throw new RepositoryException("Unexpected EOF reading varint");
    }

    /// <summary>The commit's metadata with the sizes of all its objects, sorted by checksum.</summary>
    public static Variant Add(Repo repo, Commit commit)
    {
        var reachable = new HashSet<ObjectName> { new(commit.RootMeta, ObjectType.DirMeta) };
        repo.TraverseTree(commit.RootTree, reachable);
        var entries = new List<Variant>();
        foreach (ObjectName name in reachable.OrderBy(n => n.Checksum))
        {
            long archived, unpacked;
            if (name.Type == ObjectType.File)
                (archived, unpacked) = SizesOfFile(repo, name.Checksum);
            else
                archived = unpacked = repo.ReadMetadata(name).Length;
            using var data = new MemoryStream();
            data.Write(name.Checksum.ToArray());
            WriteNumber(data, archived);
            WriteNumber(data, unpacked);
            data.WriteByte((byte)name.Type);
            entries.Add(Variant.Bytes(data.ToArray()));
        }
        return Variant.Dictionary(commit.Metadata.Children.Select(e => KeyValuePair.Create(e[0].AsString(), e[1].AsVariant()))
            .Append(KeyValuePair.Create("ostree.sizes", Variant.Array("ay", entries))));
    }

    private static (long Archived, long Unpacked) SizesOfFile(Repo repo, Checksum checksum)
    {
        FileHeader header = repo.ReadFileHeader(checksum, out long size);
        if (header.IsSymlink)
            size = System.Text.Encoding.UTF8.GetByteCount(header.SymlinkTarget);
        return (repo.StorageSize(new ObjectName(checksum, ObjectType.File)), size);
    }

    private static void WriteNumber(MemoryStream data, long value)
    {
        for (; value >= 0x80; value >>= 7)
            data.WriteByte((byte)(value | 0x80));
        data.WriteByte((byte)value);
    }
}
