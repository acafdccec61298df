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
    public static DirTree From(IEnumerable<DirTreeFile> files, IEnumerable<DirTreeDirectory> directories)
    {
        DirTree tree = new(files.ToArray(), directories.ToArray());
        Array.Sort(tree.files, static (a, b) => FileName.Compare(a.Name, b.Name));
        Array.Sort(tree.directories, static (a, b) => FileName.Compare(a.Name, b.Name));
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

    /// <summary>The object's bytes, as <see cref="DirTreeBuilder"/> puts them together.</summary>
    public byte[] Serialize()
    {
        DirTreeBuilder builder = new();
        foreach (DirTreeFile file in files)
            builder.AddFile(file.Name, file.Checksum);
        foreach (DirTreeDirectory directory in directories)
            builder.AddDirectory(directory.Name, directory.Tree, directory.Meta);
        byte[] bytes = new byte[builder.Finish()];
        int at = 0;
        builder.Serialize((part, target) =>
        {
            part.CopyTo(target.AsSpan(at));
            at += part.Length;
        }, bytes);
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
