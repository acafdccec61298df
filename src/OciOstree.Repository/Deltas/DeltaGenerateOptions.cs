using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>How a static delta is made.</summary>
public sealed record DeltaGenerateOptions
{
    /// <summary>Files larger than this many bytes are left to be fetched by themselves; 0 leaves none out.</summary>
    public long MinFallbackSize { get; init; } = 4_000_000;

    /// <summary>A file is described by its difference to an older one if both together have at most this many bytes.</summary>
    public long MaxBsdiffSize { get; init; } = 128_000_000;

    /// <summary>About how many bytes a part may have before it is compressed.</summary>
    public long MaxChunkSize { get; init; } = 32_000_000;

    /// <summary>Whether files are described by their difference to older ones at all.</summary>
    public bool UseBsdiff { get; init; } = true;

    /// <summary>Put the parts into the superblock: one file.</summary>
    public bool Inline { get; init; }

    /// <summary>The byte order of the superblock's numbers.</summary>
    public DeltaEndianness Endianness { get; init; } = BitConverter.IsLittleEndian ? DeltaEndianness.Little : DeltaEndianness.Big;

    /// <summary>Where the superblock is written, its parts beside it; null is the delta's place in the repository.</summary>
    public string? FileName { get; init; }

    /// <summary>What the superblock says when it was made.</summary>
    public DateTimeOffset Timestamp { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>Signs a superblock's bytes: the signatures by their kind's key, an <c>a{sv}</c>.</summary>
    public Func<ReadOnlyMemory<byte>, Variant>? Sign { get; init; }

    /// <summary>Told line by line what is being done.</summary>
    public Action<string> Report { get; init; } = static _ => { };
}
