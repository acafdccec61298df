using System.Buffers.Binary;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>A commit object: a root directory, where it came from and what is said about it.</summary>
public sealed record Commit
{
    /// <summary>The variant's type: metadata, parent, related objects, subject, body, timestamp, root tree, root meta.</summary>
    public const string VariantType = "(a{sv}aya(say)sstayay)";

    /// <summary>An <c>a{sv}</c>; the order of its keys is kept, for it is part of the checksum.</summary>
    public Variant Metadata { get; init; } = Variant.Dictionary([]);

    public Checksum? Parent { get; init; }

    /// <summary>An <c>a(say)</c> that nobody fills, kept for the checksum's sake.</summary>
    public Variant RelatedObjects { get; init; } = Variant.Array("(say)", []);

    public string Subject { get; init; } = "";

    public string Body { get; init; } = "";

    /// <summary>Seconds since 1970, UTC.</summary>
    public ulong Timestamp { get; init; }

    public required Checksum RootTree { get; init; }

    public required Checksum RootMeta { get; init; }

    /// <summary>The object's bytes; their SHA-256 is the commit's checksum.</summary>
    public byte[] Serialize() => Variant.Tuple(
        Metadata,
        Variant.Bytes(Parent is { } parent ? parent.ToArray() : []),
        RelatedObjects,
        Variant.String(Subject),
        Variant.String(Body),
        Variant.UInt64(BinaryPrimitives.ReverseEndianness(Timestamp)), // stored big-endian in a little-endian variant
        Variant.Bytes(RootTree.ToArray()),
        Variant.Bytes(RootMeta.ToArray())).Data.ToArray();

    /// <summary>Parses a commit object.</summary>
    /// <exception cref="RepositoryException">The bytes are no commit in normal form.</exception>
    public static Commit Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            Variant commit = Variant.FromBytes(VariantType, bytes);
            if (!commit.IsNormalForm())
                throw new RepositoryException("not in normal form");
            ReadOnlyMemory<byte> parent = commit[1].AsBytes();
            return new Commit
            {
                Metadata = commit[0],
                Parent = parent.Length == 0 ? null : Checksum.FromBytes(parent.Span),
                RelatedObjects = commit[2],
                Subject = commit[3].AsString(),
                Body = commit[4].AsString(),
                Timestamp = BinaryPrimitives.ReverseEndianness(commit[5].AsUInt64()),
                RootTree = Checksum.FromBytes(commit[6].AsBytes().Span),
                RootMeta = Checksum.FromBytes(commit[7].AsBytes().Span),
            };
        }
        catch (Exception e) when (e is VariantException or RepositoryException)
        {
            throw new RepositoryException("Invalid commit", e);
        }
    }
}
