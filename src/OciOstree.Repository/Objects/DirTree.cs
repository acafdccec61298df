using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A directory's names: files and subdirectories, each list sorted by the names' bytes. Immutable.</summary>
public sealed class DirTree
{
    public static readonly DirTree Empty = new([], []);

    private readonly DirTreeFile[] files;
    private readonly DirTreeDirectory[] directories;

    private DirTree(DirTreeFile[] files, DirTreeDirectory[] directories) => (this.files, this.directories) = (files, directories);

    public IReadOnlyList<DirTreeFile> Files => files;

    public IReadOnlyList<DirTreeDirectory> Directories => directories;

    /// <summary>Sorts the entries and checks their names.</summary>
    /// <exception cref="RepositoryException">A name is not one that a directory can hold, or is there twice.</exception>
    public static DirTree From(IEnumerable<DirTreeFile> files, IEnumerable<DirTreeDirectory> directories) => TakeOver(files.ToArray(), directories.ToArray());

    /// <summary>As <see cref="From"/>, with arrays that are the tree's from now on: of very many names a copy would be large.</summary>
    /// <exception cref="RepositoryException">A name is not one that a directory can hold, or is there twice.</exception>
    public static DirTree TakeOver(DirTreeFile[] files, DirTreeDirectory[] directories)
    {
        Array.Sort(files, static (a, b) => FileName.Compare(a.Name, b.Name));
        Array.Sort(directories, static (a, b) => FileName.Compare(a.Name, b.Name));
        DirTree tree = new(files, directories);
        tree.ValidateNames();
        return tree;
    }

    /// <summary>Finds a file by name.</summary>
    public bool TryGetFile(string name, out Checksum checksum)
    {
        int low = 0, high = files.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2, order = FileName.Compare(files[middle].Name, name);
            if (order == 0)
            {
                checksum = files[middle].Checksum;
                return true;
            }
            if (order < 0) low = middle + 1; else high = middle - 1;
        }
        checksum = default;
        return false;
    }

    /// <summary>Finds a subdirectory by name.</summary>
    public bool TryGetDirectory(string name, out DirTreeDirectory directory)
    {
        int low = 0, high = directories.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2, order = FileName.Compare(directories[middle].Name, name);
            if (order == 0)
            {
                directory = directories[middle];
                return true;
            }
            if (order < 0) low = middle + 1; else high = middle - 1;
        }
        directory = default;
        return false;
    }

    /// <summary>The variant <c>(a(say)a(sayay))</c>: files (name, checksum), directories (name, tree, meta).</summary>
    public byte[] Serialize()
    {
        // (say): name, NUL, 32 bytes, offset of the name's end.  (sayay): name, NUL, 32, 32, offsets of the tree's and the name's end.
        int filesBody = 0, directoriesBody = 0;
        foreach (DirTreeFile file in files)
            filesBody += Framing.TotalSize(Framing.StringSize(file.Name) + Checksum.Size, 1);
        foreach (DirTreeDirectory directory in directories)
            directoriesBody += Framing.TotalSize(Framing.StringSize(directory.Name) + 2 * Checksum.Size, 2);
        int filesSize = files.Length == 0 ? 0 : Framing.TotalSize(filesBody, files.Length);
        int directoriesSize = directories.Length == 0 ? 0 : Framing.TotalSize(directoriesBody, directories.Length);
        byte[] bytes = new byte[Framing.TotalSize(filesSize + directoriesSize, 1)];

        Span<byte> array = bytes.AsSpan(0, filesSize);
        int at = 0, width = Framing.OffsetSize(filesSize);
        for (int i = 0; i < files.Length; i++)
        {
            int name = Framing.WriteString(array[at..], files[i].Name);
            files[i].Checksum.WriteTo(array[(at + name)..]);
            int size = Framing.TotalSize(name + Checksum.Size, 1), offset = Framing.OffsetSize(size);
            Framing.WriteOffset(array[(at + size - offset)..], offset, name);
            at += size;
            Framing.WriteOffset(array[(filesBody + i * width)..], width, at);
        }

        array = bytes.AsSpan(filesSize, directoriesSize);
        at = 0;
        width = Framing.OffsetSize(directoriesSize);
        for (int i = 0; i < directories.Length; i++)
        {
            int name = Framing.WriteString(array[at..], directories[i].Name);
            directories[i].Tree.WriteTo(array[(at + name)..]);
            directories[i].Meta.WriteTo(array[(at + name + Checksum.Size)..]);
            // A tuple's offsets stand in reverse order of the children.
            int size = Framing.TotalSize(name + 2 * Checksum.Size, 2), offset = Framing.OffsetSize(size);
            Framing.WriteOffset(array[(at + size - 2 * offset)..], offset, name + Checksum.Size);
            Framing.WriteOffset(array[(at + size - offset)..], offset, name);
            at += size;
            Framing.WriteOffset(array[(directoriesBody + i * width)..], width, at);
        }

        width = Framing.OffsetSize(bytes.Length);
        Framing.WriteOffset(bytes.AsSpan(bytes.Length - width), width, filesSize);
        return bytes;
    }

    /// <summary>Parses a dirtree object.</summary>
    /// <exception cref="RepositoryException">The bytes are no dirtree in normal form, or its names are unsorted, repeated or unfit for a directory.</exception>
    public static DirTree Parse(ReadOnlySpan<byte> bytes)
    {
        DirTree tree = ParseStructure(bytes);
        tree.ValidateNames();
        return tree;
    }

    /// <summary>Parses the subdirectories of a dirtree object alone: of a directory with very many files that is a small part.</summary>
    /// <exception cref="RepositoryException">The bytes are no dirtree, or a subdirectory's name is unfit for one.</exception>
    public static IReadOnlyList<DirTreeDirectory> ParseDirectories(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Framing.SplitPair(bytes, 0, out _, out ReadOnlySpan<byte> directoryArray);
            DirTree tree = new([], ParseDirectoryArray(directoryArray));
            tree.ValidateNames();
            return tree.directories;
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException("Invalid dirtree", e);
        }
    }

    private static DirTree ParseStructure(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Framing.SplitPair(bytes, 0, out ReadOnlySpan<byte> fileArray, out ReadOnlySpan<byte> directoryArray);
            Framing.ArrayWalk walk = Framing.Walk(fileArray);
            // An element takes 35 bytes at the least, so the count is bounded by what is there, not by what is claimed.
            DirTreeFile[] files = walk.Count <= fileArray.Length / 35 ? new DirTreeFile[walk.Count] : throw new RepositoryException("more files than fit");
            for (int i = 0; walk.Next(out ReadOnlySpan<byte> element); i++)
            {
                Framing.SplitPair(element, 0, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> checksum);
                files[i] = new DirTreeFile(Framing.ReadString(name), Checksum.FromBytes(checksum));
            }
            return new DirTree(files, ParseDirectoryArray(directoryArray));
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException("Invalid dirtree", e);
        }
    }

    private static DirTreeDirectory[] ParseDirectoryArray(ReadOnlySpan<byte> directoryArray)
    {
        Framing.ArrayWalk walk = Framing.Walk(directoryArray);
        DirTreeDirectory[] directories = walk.Count <= directoryArray.Length / 68 ? new DirTreeDirectory[walk.Count] : throw new RepositoryException("more directories than fit");
        for (int i = 0; walk.Next(out ReadOnlySpan<byte> element); i++)
        {
            Framing.SplitPair(element, 0, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> rest);
            int width = Framing.OffsetSize(element.Length);
            if (rest.Length != 2 * Checksum.Size + width || Framing.ReadOffset(element, name.Length + 2 * Checksum.Size, width) != name.Length + Checksum.Size)
                throw new RepositoryException("a directory's checksums are not 32 bytes each");
            directories[i] = new DirTreeDirectory(Framing.ReadString(name), Checksum.FromBytes(rest[..Checksum.Size]), Checksum.FromBytes(rest.Slice(Checksum.Size, Checksum.Size)));
        }
        return directories;
    }

    private void ValidateNames()
    {
        foreach (DirTreeFile file in files)
            ValidateName(file.Name);
        foreach (DirTreeDirectory directory in directories)
            ValidateName(directory.Name);
        ValidateOrder();
    }

    /// <summary>Refuses what no directory can hold or what would leave it: empty, <c>.</c>, <c>..</c>, anything with a slash or a NUL.</summary>
    internal static void ValidateName(string name)
    {
        if (name.Length == 0)
            throw new RepositoryException("Invalid empty filename");
        if (name == ".")
            throw new RepositoryException("Invalid self-referential filename '.'");
        if (name == "..")
            throw new RepositoryException("Invalid path uplink filename '..'");
        if (name.Contains('/'))
            throw new RepositoryException($"Invalid / in filename {name}");
        if (name.Contains('\0'))
            throw new RepositoryException("Invalid NUL in filename");
    }

    private void ValidateOrder()
    {
        for (int i = 1; i < files.Length; i++)
            if (FileName.Compare(files[i - 1].Name, files[i].Name) >= 0)
                throw new RepositoryException($"Invalid dirtree: file '{files[i].Name}' is repeated or out of order");
        for (int i = 1; i < directories.Length; i++)
            if (FileName.Compare(directories[i - 1].Name, directories[i].Name) >= 0)
                throw new RepositoryException($"Invalid dirtree: directory '{directories[i].Name}' is repeated or out of order");
        // Both lists are sorted: one walk finds a name that is in both.
        for (int f = 0, d = 0; f < files.Length && d < directories.Length;)
        {
            int order = FileName.Compare(files[f].Name, directories[d].Name);
            if (order == 0)
                throw new RepositoryException($"Invalid dirtree: '{files[f].Name}' is both a file and a directory");
            if (order < 0) f++; else d++;
        }
    }
}
