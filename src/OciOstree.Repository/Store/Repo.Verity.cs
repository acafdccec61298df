using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    // Where fs-verity is only wished for, one refusal of the file system is enough.
    private volatile bool lacksVerity;

    private bool WantsVerity => settings.FsVerity == Tristate.Yes || settings.FsVerity == Tristate.Maybe && !lacksVerity;

    /// <summary>Protects a file that has a name already, such as one that was copied here by other means, by fs-verity, where the configuration wants that.</summary>
    /// <returns>False when no other need be tried: the configuration does not want it, or wants it where it can be had, and the file system cannot.</returns>
    /// <exception cref="RepositoryException">It is required and the file system cannot.</exception>
    public bool Protect(LinuxDirectory directory, string name)
    {
        if (!WantsVerity)
            return false;
        if (!TryProtect(directory, name))
            LackVerity();
        return WantsVerity;
    }

    /// <inheritdoc cref="Protect(LinuxDirectory, string)"/>
    public bool Protect(ObjectName name) => Protect(objects, LoosePath.Of(name, Mode));

    /// <summary>Protects all content of a commit by fs-verity, whatever the configuration says, for a root that the kernel shall give out checked content only.</summary>
    /// <returns>False where kernel or file system cannot.</returns>
    public bool TryProtect(Checksum commit, CancellationToken cancellation = default)
    {
        List<ObjectName> content = [.. Traverse(commit).Where(static name => name.Type == ObjectType.File)];
        int refused = 0;
        Workers.Each(content, cancellation, name =>
        {
            if (Volatile.Read(ref refused) == 0 && !TryProtect(objects, LoosePath.Of(name, Mode)))
                Volatile.Write(ref refused, 1);
        });
        return refused == 0;
    }

    /// <summary>Protects a file that is complete but for its name by fs-verity, where the configuration wants that. Nothing can be written to it any more.</summary>
    /// <exception cref="RepositoryException">It is required and the file system cannot.</exception>
    internal void Protect(TemporaryFile file)
    {
        if (!WantsVerity)
            return;
        file.EndWriting();
        if (!FsVerity.TryEnable(file.Handle))
            LackVerity();
    }

    /// <summary>Protects one file by fs-verity, whatever the configuration says. Nothing happens to what is no regular file or not there.</summary>
    /// <returns>False where kernel or file system cannot.</returns>
    public bool TryProtect(LinuxDirectory directory, string name)
    {
        // A bare repository keeps symbolic links as such; and an object may be in a parent repository, which is not ours to change.
        if (directory.TryStatus(name) is not { IsRegularFile: true })
            return true;
        using SafeFileHandle file = directory.OpenFile(name);
        return FsVerity.TryEnable(file, directory.PathOf(name));
    }

    private void LackVerity()
    {
        lacksVerity = true;
        if (settings.FsVerity == Tristate.Yes)
            throw new RepositoryException("fsverity required but filesystem does not support it");
    }
}
