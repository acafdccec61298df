using System.Buffers.Binary;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>
/// What describes a static delta: the commit that it leads to, its parts, and what it leaves out. Read from bytes that nobody has
/// vouched for; lists are checked where they are looked at.
/// </summary>
public sealed class DeltaSuperblock
{
    /// <summary>Metadata, timestamp, from, to, commit, deltas to apply before, parts, fallbacks.</summary>
    public const string VariantType = "(a{sv}tayay" + Commit.VariantType + "aya" + PartType + "a" + FallbackType + ")";

    /// <summary>Version, checksum, size, uncompressed size, objects.</summary>
    internal const string PartType = "(uayttay)";

    /// <summary>Object type, checksum, size, uncompressed size.</summary>
    internal const string FallbackType = "(yaytt)";

    internal const string EndiannessKey = "ostree.endianness";

    /// <summary>A signed delta: the eight bytes <c>OSTSGNDT</c>, the superblock, the signatures by their kind.</summary>
    private const string EnvelopeType = "(taya{sv})";

    private const int ListedObjectSize = 1 + Checksum.Size;

    private readonly Variant block;
    private readonly Variant? envelope;
    private IReadOnlyList<DeltaPartHeader>? parts;

    private DeltaSuperblock(Variant block, Variant? envelope)
    {
        (this.block, this.envelope) = (block, envelope);
        Name = new DeltaName(block[2].AsBytes() is { Length: > 0 } from ? Checksum.FromBytes(from.Span) : null, Checksum.FromBytes(block[3].AsBytes().Span));
        (Endianness, IsGuessed) = FindEndianness();
    }

    internal static ReadOnlySpan<byte> Magic => "OSTSGNDT"u8;

    /// <summary>Takes a superblock, signed or not; the memory is kept, not copied.</summary>
    /// <exception cref="RepositoryException">The bytes are none in normal form.</exception>
    public static DeltaSuperblock Parse(ReadOnlyMemory<byte> bytes)
    {
        Variant? envelope = null;
        if (bytes.Span.StartsWith(Magic))
        {
            envelope = Variant.FromBytes(EnvelopeType, bytes);
            if (!envelope.IsNormalForm())
                throw new RepositoryException("Invalid static delta: its signatures are not in normal form");
            bytes = envelope[1].AsBytes();
        }
        Variant block = Variant.FromBytes(VariantType, bytes);
        if (!block.IsNormalForm())
            throw new RepositoryException("Invalid static delta: its superblock is not in normal form");
        try
        {
            return new DeltaSuperblock(block, envelope);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException("Invalid static delta", e);
        }
    }

    public DeltaName Name { get; }

    /// <summary>An <c>a{sv}</c>: what is said of the delta, and its parts where they are inlined.</summary>
    public Variant Metadata => block[0];

    /// <summary>When it was made, in seconds since 1970.</summary>
    public ulong Timestamp => BinaryPrimitives.ReverseEndianness(block[1].AsUInt64());

    /// <summary>The bytes of the commit that it leads to.</summary>
    public ReadOnlyMemory<byte> CommitBytes => block[4].Data;

    /// <summary>The commit's detached metadata, if it has any.</summary>
    public Variant? CommitMeta => Metadata.Lookup(Name.CommitMeta, "a{sv}");

    /// <summary>How many other deltas are to be applied before this one.</summary>
    public int ParentCount => block[5].AsBytes().Length / (2 * Checksum.Size);

    public DeltaEndianness Endianness { get; }

    /// <summary>Whether the byte order was not said and had to be guessed.</summary>
    public bool IsGuessed { get; }

    /// <summary>The bytes that signatures are over.</summary>
    public ReadOnlyMemory<byte> SignedBytes => block.Data;

    /// <summary>The signatures by their kind's key, an <c>a{sv}</c>; null if there is no signature of a kind that ostree names.</summary>
    public Variant? Signatures => envelope?[2] is { } found && found.Children.Any(entry => entry[0].AsString().StartsWith("ostree.sign.", StringComparison.Ordinal)) ? found : null;

    /// <summary>Passes if the superblock, and by it all parts that have files, are signed by somebody who is trusted; gives who, in libostree's words.</summary>
    /// <exception cref="RepositoryException">They are not.</exception>
    public string Verify(Verifier verifier)
    {
        Variant signatures = Signatures ?? throw new RepositoryException("no signatures in static-delta");
        return verifier.Verify(SignedBytes.Span, verifier.Type.Signatures(signatures) ?? throw new RepositoryException($"no signature for '{verifier.Type.MetadataKey}' in static-delta superblock"));
    }

    /// <exception cref="RepositoryException">A header is malformed.</exception>
    public IReadOnlyList<DeltaPartHeader> Parts => parts ??= [.. block[6].Children.Select(part => new DeltaPartHeader(
        Swapped(part[0].AsUInt32()), Checksum.FromBytes(part[1].AsBytes().Span), Swapped(part[2].AsUInt64()), Swapped(part[3].AsUInt64()), ParseObjects(part[4].AsBytes().Span)))];

    /// <exception cref="RepositoryException">An entry is malformed.</exception>
    public IReadOnlyList<DeltaFallback> Fallbacks => [.. block[7].Children.Select(entry => new DeltaFallback(
        new ObjectName(Checksum.FromBytes(entry[1].AsBytes().Span), ParseType(entry[0].AsByte())), Swapped(entry[2].AsUInt64()), Swapped(entry[3].AsUInt64())))];

    /// <summary>A part that lies in the superblock, as its file would be; null if it has a file.</summary>
    public ReadOnlyMemory<byte>? InlinePart(int index) => Metadata.Lookup(Name.Part(index), "(yay)")?.Data;

    private bool Swaps => Endianness == (BitConverter.IsLittleEndian ? DeltaEndianness.Big : DeltaEndianness.Little);

    private ulong Swapped(ulong value) => Swaps ? BinaryPrimitives.ReverseEndianness(value) : value;

    private uint Swapped(uint value) => Swaps ? BinaryPrimitives.ReverseEndianness(value) : value;

    private (DeltaEndianness, bool Guessed) FindEndianness()
    {
        if (Metadata.Lookup(EndiannessKey, "y") is { } said)
        {
            return ((char)said.AsByte() switch
            {
                'l' => DeltaEndianness.Little,
                'B' => DeltaEndianness.Big,
                _ => DeltaEndianness.Invalid,
            }, false);
        }
        // Nothing grows by a fifth when it is compressed, and no delta has objects of 4 GiB on average: such numbers are to be read the other way round.
        ulong total = 0, objects = 0;
        foreach (Variant part in block[6].Children)
        {
            ulong size = part[2].AsUInt64(), uncompressed = part[3].AsUInt64();
            if (size > uncompressed && (double)size / uncompressed > 1.2)
                return (Other, true);
            total = unchecked(total + size);
            objects += (ulong)(part[4].AsBytes().Length / ListedObjectSize);
        }
        return (objects > 0 && total / objects > uint.MaxValue ? Other : DeltaEndianness.Invalid, true);
    }

    private static DeltaEndianness Other => BitConverter.IsLittleEndian ? DeltaEndianness.Big : DeltaEndianness.Little;

    private static ObjectName[] ParseObjects(ReadOnlySpan<byte> list)
    {
        if (list.Length % ListedObjectSize != 0)
            throw new RepositoryException($"Invalid checksum array length {list.Length}");
        ObjectName[] objects = new ObjectName[list.Length / ListedObjectSize];
        for (int i = 0; i < objects.Length; i++)
        {
            ReadOnlySpan<byte> item = list.Slice(i * ListedObjectSize, ListedObjectSize);
            objects[i] = new ObjectName(Checksum.FromBytes(item[1..]), ParseType(item[0]));
        }
        return objects;
    }

    /// <summary>Objects as a part's header lists them: a byte for the type and the checksum of each.</summary>
    internal static byte[] ListObjects(IReadOnlyList<ObjectName> objects)
    {
        byte[] list = new byte[objects.Count * ListedObjectSize];
        for (int i = 0; i < objects.Count; i++)
        {
            list[i * ListedObjectSize] = (byte)objects[i].Type;
            objects[i].Checksum.WriteTo(list.AsSpan(i * ListedObjectSize + 1));
        }
        return list;
    }

    private static ObjectType ParseType(byte type) => type is >= (byte)ObjectType.File and <= (byte)ObjectType.Commit
        ? (ObjectType)type : throw new RepositoryException($"Invalid object type '{type}' in a static delta");
}
