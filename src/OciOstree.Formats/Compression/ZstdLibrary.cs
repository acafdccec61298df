using System.Runtime.InteropServices;

namespace OciOstree.Formats.Compression;

/// <summary>The part of libzstd that streams need. Linked into the native executable; loaded by its soname otherwise.</summary>
internal static unsafe partial class ZstdLibrary
{
    internal const string Library = "libzstd";

    // enum values of zstd.h, part of its stable interface
    internal const int ParameterCompressionLevel = 100;
    internal const int ParameterChecksum = 201;
    internal const int EndContinue = 0;
    internal const int EndFlush = 1;
    internal const int EndFrame = 2;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Buffer
    {
        internal void* Data;
        internal nuint Size;
        internal nuint Position;
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    internal static partial nint CreateCompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    internal static partial nuint FreeCompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_CCtx_setParameter")]
    internal static partial nuint SetParameter(ZstdCompressorHandle context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressStream2")]
    internal static partial nuint Compress(ZstdCompressorHandle context, Buffer* output, Buffer* input, int end);

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    internal static partial nint CreateDecompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    internal static partial nuint FreeDecompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressStream")]
    internal static partial nuint Decompress(ZstdDecompressorHandle context, Buffer* output, Buffer* input);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint ErrorName(nuint code);

    internal static nuint Check(nuint code)
        => IsError(code) == 0 ? code : throw new CompressionException($"zstd: {Marshal.PtrToStringUTF8(ErrorName(code))}");
}

internal sealed class ZstdCompressorHandle : SafeHandle
{
    internal ZstdCompressorHandle() : base(0, ownsHandle: true)
    {
        SetHandle(ZstdLibrary.CreateCompressor());
        if (IsInvalid)
        {
            throw new OutOfMemoryException();
        }
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => ZstdLibrary.FreeCompressor(handle) == 0;
}

internal sealed class ZstdDecompressorHandle : SafeHandle
{
    internal ZstdDecompressorHandle() : base(0, ownsHandle: true)
    {
        SetHandle(ZstdLibrary.CreateDecompressor());
        if (IsInvalid)
        {
            throw new OutOfMemoryException();
        }
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => ZstdLibrary.FreeDecompressor(handle) == 0;
}
