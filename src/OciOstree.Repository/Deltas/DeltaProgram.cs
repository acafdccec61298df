namespace OciOstree.Repository;

/// <summary>
/// The operations of a part, read and checked as a whole before any of them is done: every offset lies where it points into, every
/// object that was opened is closed with as many bytes as it was opened for, and all objects that the header lists are made.
/// </summary>
internal sealed class DeltaProgram
{
    private readonly DeltaPart part;
    private readonly IReadOnlyList<ObjectName> names;
    private readonly List<DeltaObject> objects = [];
    private readonly int[] counts = new int[7];
    private int at;

    // The object that is open, and what is copied from or patched.
    private DeltaObject? open;
    private List<DeltaSegment> segments = [];
    private long made;
    private Checksum? source;

    private DeltaProgram(DeltaPart part, IReadOnlyList<ObjectName> names) => (this.part, this.names) = (part, names);

    public IReadOnlyList<DeltaObject> Objects => objects;

    public DeltaOperationCounts Counts => new(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6]);

    /// <exception cref="RepositoryException">An operation is unknown, cut short, out of place or out of bounds.</exception>
    public static DeltaProgram Read(DeltaPart part, IReadOnlyList<ObjectName> names)
    {
        DeltaProgram program = new(part, names);
        // A part without objects is there for the sake of having one.
        if (names.Count > 0)
            program.Run();
        return program;
    }

    private void Run()
    {
        ReadOnlySpan<byte> operations = part.Operations.Span;
        for (int index = 0; at < operations.Length; index++)
        {
            byte code = operations[at++];
            switch ((char)code)
            {
                case 'S': counts[0]++; OpenSpliceAndClose(); break;
                case 'o': counts[1]++; Open(); break;
                case 'w': counts[2]++; Write(); break;
                case 'r': counts[3]++; SetReadSource(); break;
                case 'R': counts[4]++; source = null; break;
                case 'c': counts[5]++; Close(); break;
                case 'B': counts[6]++; Patch(); break;
                default: throw new RepositoryException($"Unknown opcode {code} at offset {index}");
            }
        }
        if (open is not null)
            throw new RepositoryException($"The operations end before object {open.Name} does");
        if (objects.Count != names.Count)
            throw new RepositoryException($"The operations make {objects.Count} of {names.Count} objects");
    }

    private void OpenSpliceAndClose()
    {
        ObjectName name = Next();
        int mode = 0, xattrs = 0;
        if (name.Type == ObjectType.File)
            (mode, xattrs) = (Index(part.Modes.Count, "mode"), Index(part.Xattrs.Count, "xattr"));
        long size = Number(), offset = Number();
        CheckRange(offset, size);
        objects.Add(new DeltaObject(name, mode, xattrs, size, [new DeltaSegment(DeltaSegmentKind.Payload, offset, size, default)]));
        source = null;
    }

    private void Open()
    {
        ObjectName name = Next();
        if (name.Type != ObjectType.File)
            throw new RepositoryException($"Metadata object {name} is opened as content");
        segments = [];
        made = 0;
        open = new DeltaObject(name, Index(part.Modes.Count, "mode"), Index(part.Xattrs.Count, "xattr"), Number(), segments);
    }

    private void Write()
    {
        long length = Number(), offset = Number();
        if (source is null)
            CheckRange(offset, length);
        else if (offset + length < 0)
            throw Invalid(offset, length);
        Make(new DeltaSegment(source is null ? DeltaSegmentKind.Payload : DeltaSegmentKind.Copy, offset, length, source ?? default), length);
    }

    private void Patch()
    {
        long offset = Number(), length = Number();
        CheckRange(offset, length);
        if (source is not { } patched)
            throw new RepositoryException("A patch without an object to apply it to");
        Make(new DeltaSegment(DeltaSegmentKind.Patch, offset, length, patched), open?.Size ?? 0);
    }

    private void Make(DeltaSegment segment, long length)
    {
        if (open is null)
            throw new RepositoryException("Bytes are written while no object is open");
        if (length > open.Size - made)
            throw new RepositoryException($"Object {open.Name} is made longer than its {open.Size} bytes");
        made += length;
        segments.Add(segment);
    }

    private void SetReadSource()
    {
        long offset = Number();
        CheckRange(offset, Checksum.Size);
        source = Checksum.FromBytes(part.ReadPayload(offset, Checksum.Size));
    }

    private void Close()
    {
        if (open is null)
            throw new RepositoryException("An object is closed while none is open");
        if (made != open.Size)
            throw new RepositoryException($"Object {open.Name} is closed after {made} of {open.Size} bytes");
        objects.Add(open);
        open = null;
        source = null;
    }

    private ObjectName Next()
    {
        if (open is not null)
            throw new RepositoryException($"Another object is opened before {open.Name} is closed");
        return objects.Count < names.Count ? names[objects.Count] : throw new RepositoryException($"The operations make more than {names.Count} objects");
    }

    private int Index(int count, string table)
    {
        long index = Number();
        return index < count ? (int)index : throw new RepositoryException($"Invalid {table} offset {index} in a table of {count}");
    }

    private void CheckRange(long offset, long length)
    {
        if (length > part.PayloadSize || offset > part.PayloadSize - length)
            throw Invalid(offset, length);
    }

    private static RepositoryException Invalid(long offset, long length) => new($"Invalid offset/length {offset}/{length}");

    // Seven bits a byte, the lowest first; the high bit says that more follow.
    private long Number()
    {
        ReadOnlySpan<byte> operations = part.Operations.Span;
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            if (at == operations.Length || shift > 63)
                throw new RepositoryException("Unexpected EOF reading varint");
            byte b = operations[at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value <= long.MaxValue ? (long)value : throw new RepositoryException($"Number {value} in a static delta is out of range");
        }
    }
}
