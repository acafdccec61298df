using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// Extended attributes of open files, and of names in a directory without following a link. Linux has no
/// <c>lgetxattrat</c>, so the latter go through <c>/proc/self/fd/N/name</c>; names must not hold slashes there.
/// </summary>
public static unsafe class Xattrs
{
    private const int StackSize = 512;
    private const int MaximumSize = 65536;   // XATTR_SIZE_MAX and XATTR_LIST_MAX

    /// <summary>All attributes the caller may see, in the file system's order; empty where it has none.</summary>
    public static List<Xattr> ReadAll(SafeFileHandle file, string? path = null) => ReadAll(new Target(file, null, path));

    /// <summary>As <see cref="ReadAll(SafeFileHandle, string?)"/>, of a name; of the link itself if it is one.</summary>
    public static List<Xattr> ReadAll(LinuxDirectory directory, string name) => ReadAll(Of(directory, name));

    /// <summary>One attribute; null if it is not set or the file system has none.</summary>
    public static byte[]? Get(SafeFileHandle file, ReadOnlySpan<byte> attribute, string? path = null) => Get(new Target(file, null, path), attribute);

    /// <inheritdoc cref="Get(SafeFileHandle, ReadOnlySpan{byte}, string?)"/>
    public static byte[]? Get(SafeFileHandle file, string attribute, string? path = null) => Get(file, Encoding.UTF8.GetBytes(attribute), path);

    /// <inheritdoc cref="Get(SafeFileHandle, ReadOnlySpan{byte}, string?)"/>
    public static byte[]? Get(LinuxDirectory directory, string name, ReadOnlySpan<byte> attribute) => Get(Of(directory, name), attribute);

    /// <inheritdoc cref="Get(SafeFileHandle, ReadOnlySpan{byte}, string?)"/>
    public static byte[]? Get(LinuxDirectory directory, string name, string attribute) => Get(Of(directory, name), Encoding.UTF8.GetBytes(attribute));

    public static void Set(SafeFileHandle file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, string? path = null) =>
        ThrowUnless(SetCore(new Target(file, null, path), attribute, value), "set", attribute, path);

    public static void Set(SafeFileHandle file, string attribute, ReadOnlySpan<byte> value, string? path = null) =>
        Set(file, Encoding.UTF8.GetBytes(attribute), value, path);

    public static void Set(LinuxDirectory directory, string name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value) =>
        ThrowUnless(SetCore(Of(directory, name), attribute, value), "set", attribute, directory.PathOf(name));

    public static void Set(LinuxDirectory directory, string name, string attribute, ReadOnlySpan<byte> value) =>
        Set(directory, name, Encoding.UTF8.GetBytes(attribute), value);

    /// <summary>Sets an attribute; on false <paramref name="errno"/> says why (EOPNOTSUPP, EPERM, ENOSPC, …).</summary>
    public static bool TrySet(SafeFileHandle file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, out Errno errno) =>
        (errno = SetCore(new Target(file, null, null), attribute, value)) == Errno.None;

    /// <inheritdoc cref="TrySet(SafeFileHandle, ReadOnlySpan{byte}, ReadOnlySpan{byte}, out Errno)"/>
    public static bool TrySet(LinuxDirectory directory, string name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, out Errno errno) =>
        (errno = SetCore(Of(directory, name), attribute, value)) == Errno.None;

    /// <summary>Removes an attribute; one that is not set is no error.</summary>
    public static void Remove(SafeFileHandle file, ReadOnlySpan<byte> attribute, string? path = null) =>
        ThrowUnless(RemoveCore(new Target(file, null, path), attribute), "remove", attribute, path);

    /// <inheritdoc cref="Remove(SafeFileHandle, ReadOnlySpan{byte}, string?)"/>
    public static void Remove(LinuxDirectory directory, string name, ReadOnlySpan<byte> attribute) =>
        ThrowUnless(RemoveCore(Of(directory, name), attribute), "remove", attribute, directory.PathOf(name));

    private static List<Xattr> ReadAll(in Target target)
    {
        byte* stack = stackalloc byte[StackSize];
        nint length = List(target, stack, StackSize);
        if (length == 0 || length == -(int)Errno.EOPNOTSUPP)
            return [];
        if (length != -(int)Errno.ERANGE)
        {
            if (length < 0)
                throw new LinuxException((Errno)(-length), "list the attributes of", target.Path);
            return ReadEach(target, new ReadOnlySpan<byte>(stack, (int)length));
        }
        var heap = new byte[MaximumSize];
        fixed (byte* bytes = heap)
            length = List(target, bytes, MaximumSize);
        if (length < 0)
            throw new LinuxException((Errno)(-length), "list the attributes of", target.Path);
        return ReadEach(target, heap.AsSpan(0, (int)length));
    }

    private static List<Xattr> ReadEach(in Target target, ReadOnlySpan<byte> names)
    {
        var all = new List<Xattr>();
        while (!names.IsEmpty)
        {
            int end = names.IndexOf((byte)0);
            var name = names[..end];
            // One that vanished since the listing is not there any more.
            if (Get(target, name) is { } value)
                all.Add(new Xattr(name.ToArray(), value));
            names = names[(end + 1)..];
        }
        return all;
    }

    private static byte[]? Get(in Target target, ReadOnlySpan<byte> attribute)
    {
        byte* stack = stackalloc byte[StackSize];
        Span<byte> terminated = stackalloc byte[256];
        fixed (byte* name = Terminate(attribute, terminated))
        {
            nint length = Get(target, name, stack, StackSize);
            if (length == -(int)Errno.ERANGE)
            {
                var heap = new byte[MaximumSize];
                fixed (byte* bytes = heap)
                    length = Get(target, name, bytes, MaximumSize);
                if (length >= 0)
                    return heap.AsSpan(0, (int)length).ToArray();
            }
            if (length >= 0)
                return new ReadOnlySpan<byte>(stack, (int)length).ToArray();
            var errno = (Errno)(-length);
            if (errno is Errno.ENODATA or Errno.EOPNOTSUPP)
                return null;
            throw Failure(errno, "read", attribute, target.Path);
        }
    }

    private static nint List(in Target target, byte* buffer, int size)
    {
        nint length;
        do
        {
            length = target.Link is null ? Libc.flistxattr(target.File, buffer, (nuint)size) : Libc.llistxattr(target.Link, buffer, (nuint)size);
        }
        while (length < 0 && Libc.LastError == Errno.EINTR);
        return length < 0 ? -(int)Libc.LastError : length;
    }

    private static nint Get(in Target target, byte* name, byte* buffer, int size)
    {
        nint length;
        do
        {
            length = target.Link is null ? Libc.fgetxattr(target.File, name, buffer, (nuint)size) : Libc.lgetxattr(target.Link, name, buffer, (nuint)size);
        }
        while (length < 0 && Libc.LastError == Errno.EINTR);
        return length < 0 ? -(int)Libc.LastError : length;
    }

    private static Errno SetCore(in Target target, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        Span<byte> terminated = stackalloc byte[256];
        fixed (byte* name = Terminate(attribute, terminated))
        fixed (byte* bytes = value)
        {
            while (true)
            {
                int result = target.Link is null
                    ? Libc.fsetxattr(target.File, name, bytes, (nuint)value.Length, 0)
                    : Libc.lsetxattr(target.Link, name, bytes, (nuint)value.Length, 0);
                if (result == 0)
                    return Errno.None;
                if (Libc.LastError != Errno.EINTR)
                    return Libc.LastError;
            }
        }
    }

    private static Errno RemoveCore(in Target target, ReadOnlySpan<byte> attribute)
    {
        Span<byte> terminated = stackalloc byte[256];
        fixed (byte* name = Terminate(attribute, terminated))
        {
            while (true)
            {
                int result = target.Link is null ? Libc.fremovexattr(target.File, name) : Libc.lremovexattr(target.Link, name);
                if (result == 0 || Libc.LastError is Errno.ENODATA or Errno.EOPNOTSUPP)
                    return Errno.None;
                if (Libc.LastError != Errno.EINTR)
                    return Libc.LastError;
            }
        }
    }

    private static Span<byte> Terminate(ReadOnlySpan<byte> name, Span<byte> buffer)
    {
        // The kernel's own limit is 255 bytes; what is longer, or holds a NUL, it must refuse rather than read as another name.
        if (name.Length >= buffer.Length || name.Contains((byte)0))
            throw Failure(Errno.ERANGE, "use", name, null);
        name.CopyTo(buffer);
        buffer[name.Length] = 0;
        return buffer;
    }

    private static Target Of(LinuxDirectory directory, string name) =>
        new(directory.Handle, $"/proc/self/fd/{directory.Handle.DangerousGetHandle()}/{name}", directory.PathOf(name));

    private static void ThrowUnless(Errno errno, string verb, ReadOnlySpan<byte> attribute, string? path)
    {
        if (errno != Errno.None)
            throw Failure(errno, verb, attribute, path);
    }

    private static LinuxException Failure(Errno errno, string verb, ReadOnlySpan<byte> attribute, string? path) =>
        new(errno, $"{verb} the attribute {FileName.ForDisplay(FileName.FromBytes(attribute))} of", path);

    /// <summary>An open file, or (with a link) a path through an open directory.</summary>
    private readonly record struct Target(SafeFileHandle File, string? Link, string? Path);
}
