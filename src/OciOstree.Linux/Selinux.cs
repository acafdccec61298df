using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;

namespace OciOstree.Linux;

/// <summary>The functions of libselinux.so.1 that labels need. Loaded when first called: most machines that build images do without it.</summary>
internal static unsafe partial class Selinux
{
    internal const string Library = "libselinux.so.1";

    // selinux/label.h and selinux/selinux.h
    internal const uint SELABEL_CTX_FILE = 0;
    internal const int SELABEL_OPT_PATH = 3;
    private const int SELINUX_CB_LOG = 0;

    private static readonly Lazy<bool> s_loaded = new(Load);

    internal static bool IsAvailable => s_loaded.Value;

    private static bool Load()
    {
        if (!NativeLibrary.TryLoad(Library, out _))
            return false;
        // It would write what it dislikes to standard error; exceptions say it, once.
        selinux_set_callback(SELINUX_CB_LOG, (nint)(delegate* unmanaged[Cdecl]<int, byte*, int>)&Discard);
        return true;
    }

    // The real signature has variable arguments after these, which the callee may leave where they are on every Linux ABI.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Discard(int type, byte* format) => 0;

    [LibraryImport(Library)]
    private static partial void selinux_set_callback(int type, nint callback);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint selabel_open(uint backend, SelabelOption* options, uint count);

    [LibraryImport(Library)]
    internal static partial void selabel_close(nint handle);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int selabel_lookup_raw(nint handle, byte** context, [MarshalUsing(typeof(FileNameMarshaller))] string path, int mode);

    [LibraryImport(Library)]
    internal static partial void freecon(byte* context);

    [StructLayout(LayoutKind.Sequential)]
    internal struct SelabelOption
    {
        internal int Type;
        internal byte* Value;
    }
}
