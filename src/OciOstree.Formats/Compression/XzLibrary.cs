using System.Runtime.InteropServices;

namespace OciOstree.Formats.Compression;

/// <summary>The part of liblzma that streams need. Linked into the native executable; loaded by its soname otherwise.</summary>
internal static unsafe partial class XzLibrary
{
    internal const string Library = "liblzma";

    // enum values of lzma/base.h, lzma/check.h and lzma/container.h, part of its stable interface
    internal const int Ok = 0;
    internal const int StreamEnd = 1;
    internal const int Run = 0;
    internal const int Finish = 3;
    private const int CheckCrc64 = 4;
    private const uint Concatenated = 0x08;
    private const ulong FilterLzma2 = 0x21;
    private const ulong FiltersEnd = ulong.MaxValue;

    // No encoder's preset asks for more than 65 MiB to decode; a header that claims a larger dictionary is no reason to allocate one.
    private const ulong DecoderMemory = 256 << 20;

    /// <summary><c>lzma_stream</c>; its end is reserved.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Stream
    {
        internal byte* NextIn;
        internal nuint AvailableIn;
        internal ulong TotalIn;
        internal byte* NextOut;
        internal nuint AvailableOut;
        internal ulong TotalOut;
        private readonly nint allocator, coder;
        private fixed ulong reserved[9];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Filter
    {
        internal ulong Id;
        internal void* Options;
    }

    [LibraryImport(Library, EntryPoint = "lzma_lzma_preset")]
    private static partial byte LoadPreset(void* options, uint preset);

    [LibraryImport(Library, EntryPoint = "lzma_stream_encoder")]
    private static partial int OpenEncoder(Stream* stream, Filter* filters, int check);

    [LibraryImport(Library, EntryPoint = "lzma_stream_decoder")]
    private static partial int OpenDecoder(Stream* stream, ulong memory, uint flags);

    [LibraryImport(Library, EntryPoint = "lzma_code")]
    internal static partial int Code(Stream* stream, int action);

    [LibraryImport(Library, EntryPoint = "lzma_end")]
    internal static partial void End(Stream* stream);

    internal static void StartEncoding(Stream* stream, uint preset, uint? dictionarySize)
    {
        // lzma_options_lzma begins with u32 dict_size; it is 112 bytes, for which there is room to grow.
        ulong* options = stackalloc ulong[64];
        if (LoadPreset(options, preset) != 0)
            throw new ArgumentOutOfRangeException(nameof(preset));
        if (dictionarySize is { } size)
            *(uint*)options = Math.Min(*(uint*)options, size);
        Filter* filters = stackalloc Filter[2];
        filters[0] = new Filter { Id = FilterLzma2, Options = options };
        filters[1] = new Filter { Id = FiltersEnd };
        Check(OpenEncoder(stream, filters, CheckCrc64));
    }

    internal static void StartDecoding(Stream* stream) => Check(OpenDecoder(stream, DecoderMemory, Concatenated));

    /// <summary>Passes <see cref="Ok"/> and <see cref="StreamEnd"/>, anything else is an error.</summary>
    internal static int Check(int code) => code switch
    {
        Ok or StreamEnd => code,
        5 => throw new OutOfMemoryException(),
        6 => throw new CompressionException($"xz: the data asks for more than {DecoderMemory >> 20} MiB of memory to decompress"),
        7 => throw new CompressionException("xz: not in xz format"),
        8 => throw new CompressionException("xz: a compression option that is not known"),
        9 => throw new CompressionException("xz: the data is damaged"),
        10 => throw new CompressionException("xz: the data is truncated"),
        _ => throw new CompressionException($"xz: error {code}"),
    };
}

/// <summary>A <c>lzma_stream</c> in unmanaged memory, for liblzma keeps its address.</summary>
internal sealed unsafe class XzHandle : SafeHandle
{
    internal XzHandle() : base(0, ownsHandle: true) => SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(XzLibrary.Stream)));

    internal XzLibrary.Stream* Stream => (XzLibrary.Stream*)handle;

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        XzLibrary.End(Stream);
        NativeMemory.Free(Stream);
        return true;
    }
}
