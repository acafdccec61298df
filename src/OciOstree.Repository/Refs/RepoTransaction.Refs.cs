using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class RepoTransaction
{
    // By path below the repository; a change to neither a target nor an alias removes.
    private readonly Dictionary<string, RefChange> refs = new(StringComparer.Ordinal);

    private readonly record struct RefChange(Checksum? Target, string? Alias);

    /// <summary>Points a ref (<c>NAME</c> or <c>REMOTE:NAME</c>) at a commit once the transaction commits; null removes it.</summary>
    public void SetRef(string refspec, Checksum? target)
    {
        RefSpec spec = RefSpec.Parse(refspec);
        RefName.Validate(spec.Name);
        Set(spec.Path, new RefChange(target, null));
    }

    /// <summary>Makes a ref an alias of another one of this repository.</summary>
    public void SetAlias(string name, string target)
    {
        RefName.Validate(name);
        RefName.Validate(target);
        Set($"refs/heads/{name}", new RefChange(null, string.Concat(Enumerable.Repeat("../", name.Count(c => c == '/'))) + target));
    }

    /// <summary>Sets a ref of a collection: this repository's own refs if it is its collection, else a mirrored one.</summary>
    public void SetCollectionRef(CollectionRef collectionRef, Checksum? target)
    {
        RefName.ValidateCollectionId(collectionRef.CollectionId);
        RefName.Validate(collectionRef.Name);
        string directory = collectionRef.CollectionId == Repo.Settings.CollectionId ? "refs/heads" : $"refs/mirrors/{collectionRef.CollectionId}";
        Set($"{directory}/{collectionRef.Name}", new RefChange(target, null));
    }

    /// <summary>What a ref will be: as set in this transaction, else as it is.</summary>
    public Checksum? ResolveRef(string refspec)
    {
        if (!Checksum.TryParse(refspec, out _) && !refspec.EndsWith('^'))
            lock (refs)
                if (refs.TryGetValue(RefSpec.Parse(refspec).Path, out RefChange change) && change.Alias is null)
                    return change.Target;
        return Repo.ResolveRef(refspec);
    }

    private void Set(string path, RefChange change)
    {
        ObjectDisposedException.ThrowIf(finished, this);
        lock (refs)
            refs[path] = change;
    }

    private void WriteRefs()
    {
        if (refs.Count == 0)
            return;
        foreach ((string path, RefChange change) in refs)
        {
            if (change.Target is { } target)
                WriteRef(path, target);
            else if (change.Alias is { } alias)
                WriteAlias(path, alias);
            else
                Repo.Root.TryUnlink(path);
        }
        // Readers compare the repository's time with its summary's.
        DateTimeOffset now = DateTimeOffset.UtcNow;
        Repo.Root.SetModified(".", now.ToUnixTimeSeconds(), (uint)(now.Ticks % TimeSpan.TicksPerSecond * 100));
    }

    private void WriteRef(string path, Checksum target)
    {
        Span<byte> content = stackalloc byte[Checksum.HexLength + 1];
        Encoding.ASCII.GetBytes(target.ToString(), content);
        content[^1] = (byte)'\n';
        try
        {
            MakeParent(path);
            Repo.Root.ReplaceFile(path, content, 0x1A4, Repo.Settings.Fsync);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOTDIR)
        {
            string[] names = path.Split('/');
            string? standing = Enumerable.Range(2, names.Length - 2).Select(count => string.Join('/', names[..count])).FirstOrDefault(above => Repo.Root.TryStatus(above, followLinks: true) is { Type: not FileType.Directory });
            throw standing is null ? e : new RepositoryException($"{path} cannot be made: {standing} is a ref: Not a directory");
        }
        catch (LinuxException e) when (e.Errno is Errno.EISDIR or Errno.ENOTEMPTY or Errno.EEXIST)
        {
            // A directory that refs have left empty gives way to a ref of its name.
            string start = path.StartsWith("refs/heads/", StringComparison.Ordinal) ? "refs/heads" : string.Join('/', path.Split('/').Take(3));
            string below = path[(start.Length + 1)..];
            if (Repo.ListRefs(start == "refs/heads" ? below : $"{start.Split('/')[2]}:{below}").Keys.FirstOrDefault() is { } standing)
                throw new RepositoryException($"Conflict: {standing.Replace(below + "/", "", StringComparison.Ordinal)} exists under {below} when attempting write");
            Repo.Root.RemoveTree(path);
            Repo.Root.ReplaceFile(path, content, 0x1A4, Repo.Settings.Fsync);
        }
    }

    private void WriteAlias(string path, string target)
    {
        MakeParent(path);
        string passing = $"tmp/.alias-{Guid.NewGuid():n}";
        Repo.Root.MakeSymbolicLink(target, passing);
        try
        {
            Repo.Root.Rename(passing, Repo.Root, path);
        }
        catch
        {
            Repo.Root.TryUnlink(passing);
            throw;
        }
    }

    private void MakeParent(string path)
    {
        string parent = path[..path.LastIndexOf('/')];
        if (!Repo.Root.Exists(parent))
            Repo.Root.MakePath(parent, Repo.DirectoryMode);
    }
}
