using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class RepoTransaction
{
    // What fits is read whole before anything is created, so that content that is here already costs no file.
    private const int BufferSize = 128 << 10;

    private readonly SpaceReserve space;

    // Whether the file system shares blocks between files: 0 unknown, 1 yes, -1 no.
    private volatile int reflinks;

    /// <summary>Stores a file or link. Exactly <paramref name="size"/> bytes are read from the stream; they are hashed on the way.</summary>
    /// <param name="expected">What the checksum must be; a mismatch stores nothing. If the object is here already the stream may be left unread.</param>
    /// <exception cref="RepositoryException">The stream ends early, the checksum is another, the mode cannot store such a file, or writing fails.</exception>
    public Checksum WriteFile(FileHeader header, long size, Stream content, Checksum? expected = null) => WriteFile(header, size, new Input(content), expected, null);

    /// <summary>Stores the content of an open file from its start; blocks are shared where the file system can.</summary>
    public Checksum WriteFile(FileHeader header, SafeFileHandle source, long size, Checksum? expected = null) => WriteFile(header, size, new Input(source), expected, null);

    /// <param name="carry">Told of what is not as expected, which is then stored under the expected name all the same; null refuses it.</param>
    private Checksum WriteFile(FileHeader header, long size, Input input, Checksum? expected, Action<CorruptedObjectException>? carry)
    {
        if (header.IsSymlink)
            return WriteSymlink(header, expected, carry);
        if (IsKnown(expected, out Checksum known))
            return known;
        return Write(header, size, expected, input, carry);
    }

    private bool IsKnown(Checksum? expected, out Checksum known)
    {
        known = expected ?? default;
        if (expected is null || !Repo.HasOwnObject(new ObjectName(known, ObjectType.File)))
            return false;
        Interlocked.Increment(ref contentTotal);
        return true;
    }

    private Checksum Write(FileHeader header, long size, Checksum? expected, Input input, Action<CorruptedObjectException>? carry)
    {
        CheckStorable(header);
        if (size < 0)
            throw new RepositoryException($"Invalid file size {size}");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        long taken = 0;
        try
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(header.SerializeForChecksum());
            using IncrementalHash? payload = SharesPayloads ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
            if (size <= BufferSize)
            {
                Span<byte> whole = buffer.AsSpan(0, (int)size);
                input.Fill(whole, 0, size);
                hash.AppendData(whole);
                payload?.AppendData(whole);
                Checksum checksum = Finish(hash, expected, carry);
                Checksum? plain = payload is null ? null : Finish(payload, null, null);
                if (expected is null && IsKnown(checksum, out _))
                {
                    LinkPayload(plain, checksum, size);
                    return checksum;
                }
                taken = TakeSpace(size);
                using ContentSink sink = new(this, header, size);
                if (!TrySharePayload(plain, sink, size))
                    sink.Write(whole);
                Publish(sink, checksum, size, ref taken);
                LinkPayload(plain, checksum, size);
                return checksum;
            }
            else
            {
                // Compressing costs ten times what hashing does, so a file that may be here already is looked at first.
                if (Repo.Mode == RepoMode.Archive && expected is null && input.Handle is { } whole && IsKnown(HashFile(header.SerializeForChecksum(), whole, size), out Checksum found))
                    return found;
                taken = TakeSpace(size);
                using ContentSink sink = new(this, header, size);
                // What is hashed is what was cloned: the source may change meanwhile.
                bool cloned = input.Handle is { } source && sink.Plain is { } target && TryClone(source, target, size);
                Input from = cloned ? new Input(sink.Plain!) : input;
                for (long at = 0; at < size;)
                {
                    Span<byte> part = buffer.AsSpan(0, (int)Math.Min(BufferSize, size - at));
                    from.Fill(part, at, size);
                    hash.AppendData(part);
                    payload?.AppendData(part);
                    if (!cloned)
                        sink.Write(part);
                    at += part.Length;
                }
                Checksum checksum = Finish(hash, expected, carry);
                Checksum? plain = payload is null ? null : Finish(payload, null, null);
                bool known = expected is null && IsKnown(checksum, out _);
                // Clones of files that come by different ways would share nothing with each other.
                if (!known && TrySharePayload(plain, sink, size) || cloned)
                {
                    space.Return(taken); // shared blocks cost nothing
                    taken = 0;
                }
                if (!known)
                    Publish(sink, checksum, size, ref taken);
                LinkPayload(plain, checksum, size);
                return checksum;
            }
        }
        catch (IOException e)
        {
            throw Failed("Writing content object", e);
        }
        finally
        {
            space.Return(taken);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private long TakeSpace(long size)
    {
        try
        {
            return space.Take(size);
        }
        catch (RepositoryException)
        {
            discardStaging = true;
            throw;
        }
    }

    private static Checksum Finish(IncrementalHash hash, Checksum? expected, Action<CorruptedObjectException>? carry)
    {
        Span<byte> digest = stackalloc byte[Checksum.Size];
        hash.GetHashAndReset(digest);
        return NameOf(Checksum.FromBytes(digest), expected, carry);
    }

    private static Checksum NameOf(Checksum actual, Checksum? expected, Action<CorruptedObjectException>? carry)
    {
        if (expected is not { } wanted || wanted == actual)
            return actual;
        CorruptedObjectException damage = ContentStream.Corrupted(new ObjectName(wanted, ObjectType.File), actual);
        if (carry is null)
            throw damage;
        carry(damage);
        return wanted;
    }

    private void Publish(ContentSink sink, Checksum checksum, long size, ref long taken)
    {
        Interlocked.Increment(ref contentTotal);
        if (!sink.Publish(checksum))
            return;
        taken = 0;
        Interlocked.Increment(ref contentWritten);
        Interlocked.Add(ref contentBytesWritten, size);
    }

    private bool TryClone(SafeFileHandle source, SafeFileHandle target, long size)
    {
        if (reflinks < 0 || Repo.Mode == RepoMode.Archive)
            return false;
        if (!Files.TryClone(source, target))
        {
            // One refusal may be about this source, on another file system; but then the next ones are alike.
            if (reflinks == 0)
                reflinks = -1;
            return false;
        }
        reflinks = 1;
        if (Files.Status(target).Size == size)
            return true;
        throw new RepositoryException($"A file changed its size from {size} bytes while it was read");
    }

    /// <summary>Stores a symbolic link.</summary>
    public Checksum WriteSymlink(FileHeader header, Checksum? expected = null) => WriteSymlink(header, expected, null);

    private Checksum WriteSymlink(FileHeader header, Checksum? expected, Action<CorruptedObjectException>? carry)
    {
        CheckStorable(header);
        if (!header.IsSymlink)
            throw new RepositoryException("Not a symbolic link");
        Checksum checksum = NameOf(Checksum.Compute(header.SerializeForChecksum()), expected, carry);
        if (IsKnown(checksum, out _))
            return checksum;
        try
        {
            bool written;
            if (Repo.Mode is RepoMode.Bare or RepoMode.BareUserOnly)
            {
                written = PublishLink(header, checksum);
            }
            else
            {
                using ContentSink sink = new(this, header, 0);
                written = sink.Publish(checksum);
            }
            Interlocked.Increment(ref contentTotal);
            if (written)
                Interlocked.Increment(ref contentWritten);
            return checksum;
        }
        catch (IOException e)
        {
            throw Failed("Writing content object", e);
        }
    }

    // A link cannot be made without a name: it gets its owner and xattrs under a passing one.
    private bool PublishLink(FileHeader header, Checksum checksum)
    {
        LinuxDirectory stage = StageFor(new ObjectName(checksum, ObjectType.File));
        string passing = $".link-{checksum}-{Environment.CurrentManagedThreadId}";
        stage.MakeSymbolicLink(header.SymlinkTarget, passing);
        try
        {
            if (Repo.Mode == RepoMode.Bare)
            {
                stage.SetOwner(passing, header.Uid, header.Gid);
                foreach (Xattr xattr in header.Xattrs.Items)
                    Xattrs.Set(stage, passing, xattr.Name, xattr.Value);
            }
            if (stage.TryRenameNoReplace(passing, stage, LoosePath.Of(checksum, ObjectType.File, Repo.Mode)))
                return true;
            stage.Unlink(passing);
            return false;
        }
        catch
        {
            stage.TryUnlink(passing);
            throw;
        }
    }

    private void CheckStorable(FileHeader header)
    {
        header.Validate();
        switch (Repo.Mode)
        {
            case RepoMode.BareSplitXattrs:
                throw new RepositoryException("Not allowed due to repo mode");
            case RepoMode.BareUserOnly:
                ValidateBareUserOnly(null, header);
                break;
        }
    }

    /// <summary>Refuses permissions that a file owned by an ordinary user must not have: setuid and its like, and writable for all.</summary>
    internal static void ValidateBareUserOnly(Checksum? checksum, FileHeader header)
    {
        uint invalid = header.Mode & 0xFFF & ~0x1FDu;
        if (!header.IsSymlink && invalid != 0)
            throw new RepositoryException($"Content object{(checksum is null ? "" : " " + checksum)}: invalid mode 0{Convert.ToString(header.Mode, 8).PadLeft(4, '0')} with bits 0{Convert.ToString(invalid, 8).PadLeft(4, '0')} (a bare-user-only repository holds neither set-user-ID files nor such that all may write)");
    }

    /// <summary>Where content comes from: a stream, read on, or a file, read at positions.</summary>
    private readonly struct Input
    {
        private readonly Stream? stream;

        public Input(Stream stream) => this.stream = stream;

        public Input(SafeFileHandle handle) => Handle = handle;

        public SafeFileHandle? Handle { get; }

        public void Fill(Span<byte> part, long at, long size)
        {
            for (int filled = 0; filled < part.Length;)
            {
                int read = stream is null ? Files.ReadAt(Handle!, part[filled..], at + filled) : stream.Read(part[filled..]);
                if (read == 0)
                    throw new RepositoryException($"Unexpected EOF with {size - at - filled}/{size} bytes remaining");
                filled += read;
            }
        }
    }
}
