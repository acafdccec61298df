using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;

namespace OciOstree.Linux;

/// <summary>
/// Hands a name to the kernel as NUL-terminated bytes. Names of usual length live on the stack of the generated stub:
/// a checkout makes several such calls a file, so they must not touch the heap.
/// </summary>
[CustomMarshaller(typeof(string), MarshalMode.ManagedToUnmanagedIn, typeof(ManagedToUnmanagedIn))]
internal static unsafe class FileNameMarshaller
{
    public ref struct ManagedToUnmanagedIn
    {
        private byte* bytes;
        private bool allocated;

        public static int BufferSize => 384;

        public void FromManaged(string? managed, Span<byte> buffer)
        {
            if (managed is null)
            {
                bytes = null;
                return;
            }
            // Three bytes a UTF-16 unit is the most that UTF-8 needs.
            int size = managed.Length * 3 + 1 <= buffer.Length ? buffer.Length : FileName.ByteCount(managed) + 1;
            if (size > buffer.Length)
            {
                bytes = (byte*)NativeMemory.Alloc((nuint)size);
                allocated = true;
                buffer = new Span<byte>(bytes, size);
            }
            else
            {
                bytes = (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(buffer));
            }
            int length;
            try
            {
                // A NUL would silently name another file.
                if (managed.Contains('\0'))
                    throw new LinuxException(Errno.EINVAL, "use the name", managed);
                length = FileName.Encode(managed, buffer[..^1]);
            }
            catch
            {
                Free();
                throw;
            }
            buffer[length] = 0;
        }

        public readonly byte* ToUnmanaged() => bytes;

        public void Free()
        {
            if (!allocated)
                return;
            NativeMemory.Free(bytes);
            allocated = false;
        }
    }
}
