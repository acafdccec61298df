using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    /// <summary>Lists the objects in this repository itself, not its parents', in no order. Files that are no objects are passed over.</summary>
    public IEnumerable<ObjectName> ListObjects()
    {
        for (int prefix = 0; prefix < 256; prefix++)
            foreach (ObjectName name in ListPrefix(LoosePath.Prefix(prefix)))
                yield return name;
    }

    internal List<ObjectName> ListPrefix(string prefix)
    {
        List<ObjectName> names = [];
        using LinuxDirectory? directory = objects.TryOpenDirectory(prefix);
        foreach (DirectoryEntry entry in directory?.ReadEntries() ?? [])
            if (LoosePath.TryParse(prefix, entry.Name, Mode, out ObjectName name))
                names.Add(name);
        return names;
    }

    /// <summary>The bytes that an object takes in its file here, in a running transaction's, or in a parent's.</summary>
    public long StorageSize(ObjectName name) =>
        (long?)Find<object>(name, static (directory, path) => directory.TryStatus(path)?.Size) ?? Parent?.StorageSize(name) ?? throw new RepositoryException($"Querying object {name}: it is not here");

    internal static string PartialMarkPath(Checksum commit) => $"state/{commit}.commitpartial";

    /// <summary>How much of a commit is here, as far as the marks say.</summary>
    public CommitState StateOf(Checksum commit)
    {
        byte[]? mark = Root.TryReadAllBytes(PartialMarkPath(commit), 16);
        return mark is null ? Parent?.HasObject(new ObjectName(commit, ObjectType.Commit)) == true && !HasOwnObject(new ObjectName(commit, ObjectType.Commit)) ? Parent.StateOf(commit) : CommitState.Whole
            : mark is [(byte)'f', ..] ? CommitState.PartialByFsck : CommitState.Partial;
    }
}
