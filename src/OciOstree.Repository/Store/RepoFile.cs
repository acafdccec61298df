using Microsoft.Win32.SafeHandles;

namespace OciOstree.Repository;

/// <summary>An open content object.</summary>
public sealed class RepoFile : IDisposable
{
    private readonly Func<Stream> open;
    private Stream? content;

    internal RepoFile(FileHeader header, long size, SafeFileHandle? handle, bool isPlain, Func<Stream> open) =>
        (Header, Size, raw, Handle, this.open) = (header, size, handle, isPlain ? handle : null, open);

    private readonly SafeFileHandle? raw;

    public FileHeader Header { get; }

    /// <summary>The content's length in bytes; 0 for a symbolic link.</summary>
    public long Size { get; }

    /// <summary>
    /// The file in the repository where its bytes are the content's: for regular files in every mode but archive. What is read through it
    /// is not verified.
    /// </summary>
    public SafeFileHandle? Handle { get; }

    /// <summary>
    /// The content, once, from its start. Ends after exactly <see cref="Size"/> bytes, or throws <see cref="RepositoryException"/>
    /// when there are more or fewer, and at the end when the object was opened for verification and its checksum is another.
    /// </summary>
    public Stream Content => content ??= open();

    public void Dispose()
    {
        content?.Dispose();
        raw?.Dispose();
    }
}
