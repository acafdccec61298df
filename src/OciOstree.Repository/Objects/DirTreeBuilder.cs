using System.Buffers;
using System.Text.Unicode;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Puts the bytes of a dirtree object together from entries that come in any order: the variant <c>(a(say)a(sayay))</c>, files (name, checksum) and directories
/// (name, tree, meta). A directory may have a million names: they are kept once, as the object has them. A builder serves any number of directories, one at a time.
/// </summary>
public sealed class DirTreeBuilder
{
    private readonly DirTreeEntries files = new(checksums: 1), directories = new(checksums: 2);

    /// <exception cref="RepositoryException">The name is not one that a directory can hold.</exception>
    public void AddFile(string name, Checksum checksum) => Add(files, name, checksum, null);

    /// <param name="name">The name as the kernel has it.</param>
    /// <exception cref="RepositoryException">The name is not one that a directory can hold.</exception>
    public void AddFile(ReadOnlySpan<byte> name, Checksum checksum) => Add(files, name, checksum, null);

    /// <exception cref="RepositoryException">The name is not one that a directory can hold.</exception>
    public void AddDirectory(string name, Checksum tree, Checksum meta) => Add(directories, name, tree, meta);

    /// <summary>Forgets all entries, for the next directory.</summary>
    public void Clear()
    {
        files.Clear();
        directories.Clear();
    }

    /// <summary>Puts the entries in order and returns the object's size in bytes.</summary>
    /// <exception cref="RepositoryException">Two entries have one name.</exception>
    internal long Finish()
    {
        files.Sort();
        directories.Sort();
        if (files.FindRepeated() is { } file)
            throw new RepositoryException($"Invalid dirtree: file '{file}' is repeated or out of order");
        if (directories.FindRepeated() is { } directory)
            throw new RepositoryException($"Invalid dirtree: directory '{directory}' is repeated or out of order");
        // Both lists are sorted: one walk finds a name that is in both.
        for (int f = 0, d = 0; f < files.Count && d < directories.Count;)
        {
            int order = files.NameOf(f).SequenceCompareTo(directories.NameOf(d));
            if (order == 0)
                throw new RepositoryException($"Invalid dirtree: '{FileName.FromBytes(files.NameOf(f))}' is both a file and a directory");
            if (order < 0) f++; else d++;
        }
        return Framing.TotalSize(checked((int)(files.Size + directories.Size)), 1);
    }

    /// <summary>Gives the bytes of what <see cref="Finish"/> put in order, piece by piece.</summary>
    internal void Serialize<TState>(ReadOnlySpanAction<byte, TState> write, TState state)
    {
        files.Serialize(write, state);
        directories.Serialize(write, state);
        Span<byte> end = stackalloc byte[4];
        int width = Framing.OffsetSize(Framing.TotalSize((int)(files.Size + directories.Size), 1));
        Framing.WriteOffset(end, width, (int)files.Size);
        write(end[..width], state);
    }

    private static void Add(DirTreeEntries to, string name, Checksum first, Checksum? second)
    {
        // What is not UTF-8 is told by the name as it was given.
        int length = Framing.StringSize(name);
        byte[]? rented = length > 512 ? ArrayPool<byte>.Shared.Rent(length) : null;
        Span<byte> bytes = rented ?? stackalloc byte[512];
        Framing.WriteString(bytes, name);
        Add(to, bytes[..(length - 1)], first, second);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
    }

    private static void Add(DirTreeEntries to, ReadOnlySpan<byte> name, Checksum first, Checksum? second)
    {
        // The names that no directory can hold are short, or have what they must not have.
        if (name.Length <= 2 || name.ContainsAny((byte)'/', (byte)0))
            DirTree.ValidateName(FileName.FromBytes(name));
        if (!Utf8.IsValid(name))
            Framing.StringSize(FileName.FromBytes(name));
        to.Add(name, first, second);
    }
}
