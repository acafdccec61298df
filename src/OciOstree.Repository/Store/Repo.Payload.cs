using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    // Whether the repository's files can share blocks: 0 not tried yet, 1 yes, -1 no.
    private volatile int clones;

    /// <summary>Whether files made in a directory of the repository can share blocks with others of it.</summary>
    internal bool CanClone(LinuxDirectory directory)
    {
        if (clones == 0)
        {
            using SafeFileHandle some = Root.OpenFile("config");
            using TemporaryFile probe = directory.CreateTemporaryFile();
            clones = Files.TryClone(some, probe.Handle) ? 1 : -1;
        }
        return clones > 0;
    }

    /// <summary>The object, here or staged, that a content's payload link leads to; null if there is no link or it leads nowhere.</summary>
    internal Checksum? FindPayload(Checksum payload, bool removeStale)
    {
        ObjectName name = new(payload, ObjectType.PayloadLink);
        if (Find(name, static (directory, path) => directory.TryReadLink(path)) is not { } target)
            return null;
        if (PayloadTarget(target) is { } file && HasOwnObject(new ObjectName(file, ObjectType.File)))
            return file;
        if (removeStale)
            objects.TryUnlink(LoosePath.Of(name, Mode));
        return null;
    }

    // "../XX/….file"
    private Checksum? PayloadTarget(string target)
    {
        string[] parts = target.Split('/');
        return parts.Length == 3 && LoosePath.TryParse(parts[1], parts[2], Mode, out ObjectName file) && file.Type == ObjectType.File ? file.Checksum : null;
    }

    // A payload link serves to share blocks with a file: it is of use as long as that file stays, and is large enough.
    private bool IsPayloadWanted(ObjectName name, HashSet<ObjectName> reachable)
    {
        if (objects.TryReadLink(LoosePath.Of(name, Mode)) is not { } target || PayloadTarget(target) is not { } checksum)
            return false;
        ObjectName file = new(checksum, ObjectType.File);
        return reachable.Contains(file) && (ulong)StorageSize(file) >= Settings.PayloadLinkThreshold;
    }
}
