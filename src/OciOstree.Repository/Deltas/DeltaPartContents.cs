using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>What is in a part, by numbers: sizes in bytes.</summary>
public sealed record DeltaPartContents(int ModeCount, int XattrCount, long PayloadSize, int OperationsSize, DeltaOperationCounts Operations)
{
    /// <summary>Reads a part of a delta, from its superblock, from beside that, or from the delta's place in the repository.</summary>
    /// <param name="beside">Where the superblock was read from, if that was not the repository.</param>
    /// <exception cref="RepositoryException">It is missing or damaged.</exception>
    public static DeltaPartContents Read(Repo repo, DeltaSuperblock superblock, int index, LinuxDirectory? beside = null)
    {
        DeltaPartHeader header = superblock.Parts[index];
        if (superblock.InlinePart(index) is { } inline)
        {
            using MemoryForwardStream bytes = new(inline);
            return Read(repo, header, bytes);
        }
        string path = superblock.Name.Part(index);
        using SafeFileHandle? file = beside?.TryOpenFile(path[(path.LastIndexOf('/') + 1)..], OpenFlags.ReadOnly) ?? repo.Root.TryOpenFile(path, OpenFlags.ReadOnly);
        if (file is null)
            throw new RepositoryException($"openat({path}): No such file or directory");
        using BufferedStream stream = new(new HandleStream(file, 0), 64 << 10);
        return Read(repo, header, stream);
    }

    private static DeltaPartContents Read(Repo repo, DeltaPartHeader header, Stream stored)
    {
        using DeltaPart part = DeltaPart.Open(stored, repo.CreateRoom(), DeltaPart.Limit(header));
        return new DeltaPartContents(part.Modes.Count, part.Xattrs.Count, part.PayloadSize, part.Operations.Length, DeltaProgram.Read(part, header.Objects).Counts);
    }
}
