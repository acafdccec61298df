using System.Runtime.InteropServices;
using System.Text;

namespace OciOstree.Linux;

/// <summary>
/// The <c>file_contexts</c> of an SELinux policy: which label a path gets. The search is libselinux's, so that labels are those that every other tool gives.
/// Needs no kernel with SELinux. Safe for use by many threads.
/// </summary>
public sealed unsafe class FileContexts : IDisposable
{
    // libselinux compiles an expression when it is first needed, and not every version does that under a lock of its own. A lookup takes from ten to some two hundred microseconds, by how many expressions begin like the path.
    private readonly Lock gate = new();

    // A tree has some hundred different labels on some ten thousand paths.
    private readonly Dictionary<int, string> labels = [];
    private nint handle;

    private FileContexts(nint handle) => this.handle = handle;

    /// <summary>Whether this machine has libselinux.</summary>
    public static bool IsAvailable => Selinux.IsAvailable;

    /// <summary>What is to be installed where <see cref="IsAvailable"/> is false.</summary>
    public static string LibraryName => Selinux.Library;

    /// <summary>
    /// Loads the expressions of a file and of its companions (<c>.homedirs</c>, <c>.local</c>, <c>.subs</c>, <c>.subs_dist</c>) where there are any. Nothing is read later.
    /// A compiled companion (<c>.bin</c>) goes before the text if there is one: its expressions are trusted, so a file from a stranger should have none.
    /// </summary>
    /// <exception cref="DllNotFoundException">There is no libselinux.</exception>
    /// <exception cref="LinuxException">A file cannot be read or is not what it should be.</exception>
    public static FileContexts Open(string path)
    {
        if (!IsAvailable)
            throw new DllNotFoundException($"{Selinux.Library} is not installed");
        byte[] name = [.. FileName.ToBytes(path), 0];
        fixed (byte* value = name)
        {
            var option = new Selinux.SelabelOption { Type = Selinux.SELABEL_OPT_PATH, Value = value };
            nint handle = Selinux.selabel_open(Selinux.SELABEL_CTX_FILE, &option, 1);
            return handle != 0 ? new FileContexts(handle) : throw new LinuxException(Libc.LastError, "load the file contexts", path);
        }
    }

    /// <summary>The label of an absolute path whose file has (or will have) this <c>st_mode</c>; null if the policy gives it none.</summary>
    /// <exception cref="LinuxException">The lookup failed: an expression does not compile.</exception>
    public string? Find(string path, uint mode)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(handle == 0, this);
            byte* context;
            if (Selinux.selabel_lookup_raw(handle, &context, path, (int)mode) != 0)
            {
                // An expression that does not compile ends the search without an errno; it must not pass for a path that the policy leaves alone.
                return Libc.LastError switch
                {
                    Errno.ENOENT => null,
                    Errno.None => throw new LinuxException(Errno.EINVAL, "find the label of", path),
                    var errno => throw new LinuxException(errno, "find the label of", path),
                };
            }
            try
            {
                return Text(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(context));
            }
            finally
            {
                Selinux.freecon(context);
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (handle != 0)
                Selinux.selabel_close(handle);
            handle = 0;
        }
    }

    private string Text(ReadOnlySpan<byte> bytes)
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        int key = hash.ToHashCode();
        if (labels.TryGetValue(key, out string? known) && known.Length == bytes.Length && Ascii.Equals(bytes, known))
            return known;
        return labels[key] = Encoding.UTF8.GetString(bytes);
    }
}
