using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Files of equal content are different objects if their owners, modes or xattrs differ. From <c>core.payload-link-threshold</c> bytes on a link
/// <c>objects/XX/….payload-link</c>, named by the plain SHA-256 of a content, leads to an object that has it, and further ones share its blocks.
/// </summary>
public sealed partial class RepoTransaction
{
    private bool SharesPayloads => Repo.Settings.PayloadLinkThreshold != ulong.MaxValue && HasPlainFiles(Repo) && Repo.CanClone(temporary);

    private static bool HasPlainFiles(Repo repo) => repo.Mode is RepoMode.Bare or RepoMode.BareUser or RepoMode.BareUserOnly;

    /// <summary>Fills an object with the blocks of another one of the same content; false if there is none.</summary>
    private bool TrySharePayload(Checksum? payload, ContentSink sink, long size)
    {
        if (payload is not { } wanted || size == 0)
            return false;
        for (Repo? holder = Repo; holder is not null; holder = holder.Parent)
        {
            if (holder.Device != Repo.Device || !HasPlainFiles(holder) || holder.FindPayload(wanted, removeStale: holder == Repo) is not { } file)
                continue;
            using RepoFile source = holder.OpenFile(file, verify: false);
            // What is damaged must not be passed on, under names that are right.
            if (source.Handle is { } handle && source.Size == size && HashPayload(handle, size) == wanted && Files.TryClone(handle, sink.Plain!))
                return true;
        }
        return false;
    }

    /// <summary>Makes an object the one that others share a content with; the newest is, as in ostree.</summary>
    private void LinkPayload(Checksum? payload, Checksum file, long size)
    {
        if (payload is not { } content || (ulong)size < Repo.Settings.PayloadLinkThreshold || Repo.FindPayload(content, removeStale: true) == file)
            return;
        ObjectName name = new(content, ObjectType.PayloadLink);
        LinuxDirectory stage = StageFor(name);
        // Another thread may make the same link; the last one stays.
        string passing = $"payload-{Guid.NewGuid():N}";
        stage.MakeSymbolicLink("../" + LoosePath.Of(file, ObjectType.File, Repo.Mode), passing);
        stage.Rename(passing, stage, LoosePath.Of(name, Repo.Mode));
    }

    // An object that comes as a hard link brings its content unread.
    private void LinkImportedPayload(Repo source, ObjectName name)
    {
        if (name.Type != ObjectType.File || source.Device != Repo.Device || !SharesPayloads)
            return;
        using RepoFile file = Repo.OpenFile(name.Checksum, verify: false);
        if (file.Handle is { } handle && (ulong)file.Size >= Repo.Settings.PayloadLinkThreshold)
            LinkPayload(HashPayload(handle, file.Size), name.Checksum, file.Size);
    }

    private static Checksum HashPayload(SafeFileHandle file, long size) => HashFile([], file, size);
}
