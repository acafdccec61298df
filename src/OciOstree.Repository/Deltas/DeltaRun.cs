using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Makes the objects of a delta's parts in a transaction, each checked against its name, on all processors.</summary>
internal sealed class DeltaRun(RepoTransaction transaction, CancellationToken cancellation)
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly Repo repo = transaction.Repo;

    /// <summary>Refuse files with modes outside 0775.</summary>
    public bool BareUserOnlyFiles { get; init; }

    /// <summary>Whether everything that a part makes is here already.</summary>
    public bool HasAll(DeltaPartHeader header)
    {
        if (header.Version > 0)
            throw new RepositoryException($"Delta part has too new version {header.Version}");
        return header.Objects.All(transaction.HasObject);
    }

    /// <summary>Does a part that lies in its superblock.</summary>
    public void RunInline(DeltaPartHeader header, ReadOnlyMemory<byte> stored)
    {
        using MemoryForwardStream stream = new(stored);
        Run(header, stream);
    }

    /// <summary>Does a part whose file is open, after checking the file's checksum.</summary>
    public void RunFile(DeltaPartHeader header, SafeFileHandle file)
    {
        Checksum actual = FileDigest.Of(file);
        if (actual != header.Checksum)
            throw new RepositoryException($"Checksum mismatch in static delta part; expected={header.Checksum} actual={actual}");
        using BufferedStream stream = new(new HandleStream(file, 0), 64 << 10);
        Run(header, stream);
    }

    private void Run(DeltaPartHeader header, Stream stored)
    {
        using DeltaPart part = DeltaPart.Open(stored, transaction.CreateStagedFile(), DeltaPart.Limit(header));
        DeltaProgram program = DeltaProgram.Read(part, header.Objects);
        Workers.Each(program.Objects, cancellation, made => Make(part, made));
    }

    private void Make(DeltaPart part, DeltaObject made)
    {
        if (transaction.HasObject(made.Name))
            return;
        try
        {
            if (made.Name.Type != ObjectType.File)
                MakeMetadata(part, made);
            else
                MakeFile(part, made);
        }
        catch (Exception e) when (e is LinuxException || e is RepositoryException && !e.Message.Contains(made.Name.Checksum.ToString(), StringComparison.Ordinal))
        {
            throw new RepositoryException($"Making object {made.Name}", e);
        }
    }

    private void MakeMetadata(DeltaPart part, DeltaObject made)
    {
        if (made.Size > Repo.MaxMetadataSize)
            throw new RepositoryException($"Metadata of {made.Size} bytes exceeds the maximum of {Repo.MaxMetadataSize} bytes");
        transaction.WriteMetadata(made.Name.Type, part.ReadPayload(made.Segments[0].Offset, (int)made.Size), made.Name.Checksum);
    }

    private void MakeFile(DeltaPart part, DeltaObject made)
    {
        Variant owner = part.Modes[made.Mode];
        uint mode = Big(owner[2]);
        XattrSet xattrs = XattrSet.Parse(part.Xattrs[made.Xattrs].Data);
        FileHeader header = new(Big(owner[0]), Big(owner[1]), mode, "", xattrs);
        using DeltaContent content = new(part, made, repo, transaction.CreateStagedFile);
        if (header.IsSymlink)
        {
            transaction.WriteSymlink(header with { SymlinkTarget = Target(content, made.Size) }, made.Name.Checksum);
            return;
        }
        header.Validate();
        if (BareUserOnlyFiles)
            RepoTransaction.ValidateBareUserOnly(made.Name.Checksum, header);
        transaction.WriteFile(header, made.Size, content, made.Name.Checksum);
    }

    private static string Target(DeltaContent content, long size)
    {
        const int longest = 4095;
        if (size > longest)
            throw new RepositoryException($"A symbolic link's target has {size} bytes");
        byte[] target = new byte[size];
        content.ReadExactly(target);
        try
        {
            return target.Contains((byte)0) ? throw new RepositoryException("A symbolic link's target has a NUL") : Utf8.GetString(target);
        }
        catch (ArgumentException)
        {
            throw new RepositoryException("A symbolic link's target is not UTF-8");
        }
    }

    private static uint Big(Variant number) => BinaryPrimitives.ReverseEndianness(number.AsUInt32());
}
