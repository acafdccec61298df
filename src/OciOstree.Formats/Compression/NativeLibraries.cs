using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OciOstree.Formats.Compression;

/// <summary>Where the compression libraries are that are not linked into the executable.</summary>
internal static class NativeLibraries
{
#pragma warning disable CA2255 // GZipStream asks for its switch before any code of ours may have run: only the module's start is early enough
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize()
    {
        NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);

        // GZipStream takes a truncated stream for a complete one unless told otherwise, and asks once in a process's life.
        AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);
    }

    // The development packages' .so without a number is not on every machine that has the library.
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        string? file = name switch
        {
            ZstdLibrary.Library => "libzstd.so.1",
            XzLibrary.Library => "liblzma.so.5",
            _ => null,
        };
        return file is not null && NativeLibrary.TryLoad(file, out nint handle) ? handle : 0;
    }
}
