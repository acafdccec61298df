using System.Buffers.Binary;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Makes a static delta: all that a client needs who has one commit, or none, to have another. The same commits and options give the
/// same parts.
/// </summary>
public sealed class DeltaGenerator : IDisposable
{
    // What ends the box around a part, whose file is the variant itself.
    private static readonly byte[] InlineType = "\0(yay)"u8.ToArray();

    private readonly Repo repo;
    private readonly DeltaName name;
    private readonly DeltaGenerateOptions options;
    private readonly CancellationToken cancellation;
    private readonly LinuxDirectory directory;
    private readonly string fileName;
    private readonly DeltaPartQueue parts;

    private DeltaGenerator(Repo repo, DeltaName name, DeltaGenerateOptions options, CancellationToken cancellation)
    {
        (this.repo, this.name, this.options, this.cancellation) = (repo, name, options, cancellation);
        if (options.FileName is { } path)
        {
            string full = Path.GetFullPath(path);
            directory = LinuxDirectory.Open(Path.GetDirectoryName(full) ?? throw new RepositoryException("Invalid 'filename' parameter"));
            fileName = Path.GetFileName(full);
        }
        else
        {
            repo.Root.MakePath(name.Directory, 0x1FD);
            directory = repo.Root.OpenDirectory(name.Directory, followLinks: true);
            fileName = "superblock";
        }
        parts = new DeltaPartQueue(directory, options.Report);
    }

    /// <exception cref="RepositoryException">A commit or object is missing or damaged, or something cannot be written.</exception>
    public static void Run(Repo repo, DeltaName name, DeltaGenerateOptions options, CancellationToken cancellation = default)
    {
        using RepoLock.Holder hold = repo.Locking.Take(RepoLockKind.Shared, cancellation);
        try
        {
            using DeltaGenerator generator = new(repo, name, options, cancellation);
            generator.Go();
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"Generating static delta {name}", e);
        }
    }

    private void Go()
    {
        DeltaPlan plan = DeltaPlan.Make(repo, name, options, cancellation);
        foreach (ObjectName metadata in plan.Metadata)
        {
            ReadOnlyMemory<byte> bytes = repo.ReadMetadata(metadata);
            PartFor(bytes.Length).AddMetadata(metadata, bytes.Span);
        }
        int patched = 0, inPieces = 0;
        long copied = 0;
        foreach (PlannedFile file in plan.Modified)
        {
            cancellation.ThrowIfCancellationRequested();
            ObjectName made = new(file.Checksum, ObjectType.File);
            using DeltaSource from = DeltaSource.Open(repo, file.From!.Value, repo.CreateRoom), to = DeltaSource.Open(repo, file.Checksum, repo.CreateRoom);
            using MappedFile old = new(from.Handle), content = new(to.Handle);
            if (file.Matches is { } matches)
            {
                PartFor(0).AddPieces(made, to.Header, content.GetSpan(), from.Checksum, matches);
                inPieces++;
                copied += matches.Sum(match => (long)match.Length);
            }
            else
            {
                ReportPatch(patched++, plan.PatchCount);
                PartFor(0).AddPatched(made, to.Header, content.GetSpan().Length, from.Checksum, patch =>
                {
                    using BufferedStream buffered = new(patch, 128 << 10);
                    BinaryDiff.Write(buffered, old.GetSpan(), content.GetSpan());
                });
            }
        }
        foreach (PlannedFile file in plan.Whole)
        {
            cancellation.ThrowIfCancellationRequested();
            using RepoFile content = repo.OpenFile(file.Checksum);
            ObjectName made = new(file.Checksum, ObjectType.File);
            if (content.Header.IsSymlink)
                PartFor(0).AddSymlink(made, content.Header);
            else
                PartFor(content.Size).AddFile(made, content);
        }
        parts.Complete();
        WriteSuperblock(plan);
        options.Report($"uncompressed={parts.Headers.Sum(part => (decimal)part.UncompressedSize)} compressed={parts.Headers.Sum(part => (decimal)part.Size)} loose={plan.LooseSize}");
        options.Report($"rollsum={inPieces} objects, {copied} bytes");
        options.Report($"bsdiff={patched} objects");
    }

    private void ReportPatch(int done, int all)
    {
        if (all < 10 || done % (all / 10) == 0)
            options.Report($"processing bsdiff: [{done}/{all}]");
    }

    private DeltaPartWriter PartFor(long size)
    {
        if (parts.Current.ObjectCount > 0 && parts.Current.Size + size > options.MaxChunkSize)
            parts.Next();
        return parts.Current;
    }

    private void WriteSuperblock(DeltaPlan plan)
    {
        TemporaryFile file = WriteUnsigned(plan);
        try
        {
            if (options.Sign is { } sign)
            {
                using TemporaryFile unsigned = file;
                using MappedFile block = new(unsigned.Handle);
                file = directory.CreateTemporaryFile(0x1A4);
                Write(file, writer =>
                {
                    writer.Write(Variant.UInt64(BinaryPrimitives.ReadUInt64LittleEndian(DeltaSuperblock.Magic)));
                    writer.WriteBytes(block.GetSpan());
                    writer.Write(sign(block.Memory));
                });
            }
            if (repo.Settings.Fsync)
                Files.Sync(file.Handle);
            file.ReplaceAs(directory, fileName);
            if (repo.Settings.Fsync)
                directory.Sync();
        }
        finally
        {
            file.Dispose();
        }
    }

    private TemporaryFile WriteUnsigned(DeltaPlan plan)
    {
        List<(string, long, Action<Stream>)> metadata = [Entry(DeltaSuperblock.EndiannessKey, Variant.Byte((byte)(options.Endianness == DeltaEndianness.Big ? 'B' : 'l')))];
        for (int i = 0; i < parts.Headers.Count; i++)
        {
            int part = i;
            if (options.Inline)
                metadata.Add((name.Part(i), (long)parts.Headers[i].Size + InlineType.Length, target => parts.CopyTo(part, target, InlineType)));
            else
                parts.Publish(i, repo.Settings.Fsync);
        }
        if (repo.ReadCommitMeta(name.To) is { } detached)
            metadata.Add(Entry(name.CommitMeta, detached));
        bool swap = options.Endianness != (BitConverter.IsLittleEndian ? DeltaEndianness.Little : DeltaEndianness.Big);
        TemporaryFile file = directory.CreateTemporaryFile(0x1A4);
        Write(file, writer =>
        {
            writer.WriteMetadata(metadata);
            writer.Write(Variant.UInt64(BinaryPrimitives.ReverseEndianness((ulong)options.Timestamp.ToUnixTimeSeconds())));
            writer.WriteBytes(name.From is { } from ? from.ToArray() : []);
            writer.WriteBytes(name.To.ToArray());
            writer.Write(Variant.FromBytes(Commit.VariantType, repo.ReadMetadata(new ObjectName(name.To, ObjectType.Commit))));
            writer.WriteBytes([]);
            writer.Write(Variant.Array(DeltaSuperblock.PartType, parts.Headers.Select(part => Variant.Tuple(Number(part.Version), Variant.Bytes(part.Checksum.ToArray()), Long(part.Size), Long(part.UncompressedSize), Variant.Bytes(DeltaSuperblock.ListObjects(part.Objects))))));
            writer.Write(Variant.Array(DeltaSuperblock.FallbackType, plan.Fallbacks.Select(fallback => Variant.Tuple(Variant.Byte((byte)fallback.Name.Type), Variant.Bytes(fallback.Name.Checksum.ToArray()), Long(fallback.Size), Long(fallback.UncompressedSize)))));
        });
        return file;

        Variant Number(uint value) => Variant.UInt32(swap ? BinaryPrimitives.ReverseEndianness(value) : value);
        Variant Long(ulong value) => Variant.UInt64(swap ? BinaryPrimitives.ReverseEndianness(value) : value);
    }

    private static (string, long, Action<Stream>) Entry(string key, Variant value)
    {
        ReadOnlyMemory<byte> boxed = Variant.Boxed(value).Data;
        return (key, boxed.Length, target => target.Write(boxed.Span));
    }

    private static void Write(TemporaryFile file, Action<SuperblockWriter> write)
    {
        using BufferedStream stream = new(Files.AsStream(file.Handle, leaveOpen: true), 64 << 10);
        SuperblockWriter writer = new(stream);
        write(writer);
        writer.Complete();
    }

    public void Dispose()
    {
        parts.Dispose();
        directory.Dispose();
    }
}
