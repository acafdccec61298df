using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    // Where fs-verity is only wished for, one refusal of the file system is enough.
    private volatile bool lacksVerity;

    /// <summary>Protects a file that is complete but for its name by fs-verity, where the configuration wants that. Nothing can be written to it any more.</summary>
    /// <exception cref="RepositoryException">It is required and the file system cannot.</exception>
    internal void Protect(TemporaryFile file)
    {
        if (settings.FsVerity == Tristate.No || settings.FsVerity == Tristate.Maybe && lacksVerity)
            return;
        file.EndWriting();
        if (FsVerity.TryEnable(file.Handle))
            return;
        lacksVerity = true;
        if (settings.FsVerity == Tristate.Yes)
            throw new RepositoryException("fsverity required but filesystem does not support it");
    }
}
