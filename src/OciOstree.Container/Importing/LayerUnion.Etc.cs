using OciOstree.Repository;

namespace OciOstree.Container;

internal sealed partial class LayerUnion
{
    private const string UsrEtcPath = "/usr/etc";
    private const string EtcWhiteout = $"/usr/{LayerPath.WhiteoutPrefix}etc";

    // What layers name as usr/etc, which to a container is another directory than /etc: what hides the one leaves the other alone. Null until a layer has any.
    private MutableTree? usrEtc;

    // Paths that are in etc by a later layer than in usr/etc.
    private readonly HashSet<string> etcIsLater = new(StringComparer.Ordinal);

    /// <summary>Whose entries of a layer's <c>usr/etc</c> are meant.</summary>
    private enum Spelling
    {
        /// <summary>All: only one of the two occurs.</summary>
        Any,

        /// <summary>Those that the layer names as <c>etc</c>.</summary>
        Etc,

        /// <summary>Those that it names as <c>usr/etc</c>.</summary>
        UsrEtc,
    }

    private bool IsDivided(LayerMetadata metadata) => usrEtc is not null || metadata.UsrEtc.Count > 0;

    // upper: the layer's usr. isHidden: whether it hides all that lower layers have in theirs.
    private void AddDivided(MutableTree usr, DirTreeDirectory etc, DirTree upper, bool isHidden, LayerMetadata metadata)
    {
        var isEtcHidden = upper.TryGetFile(LayerPath.WhiteoutPrefix + "etc", out _);
        isHidden |= upper.TryGetFile(LayerPath.OpaqueWhiteout, out _);
        if (Has(etc.Tree, UsrEtcPath, metadata, Spelling.UsrEtc))
        {
            AddDirectory(usrEtc ??= new MutableTree(), etc.Tree, etc.Meta, UsrEtcPath, isNew: false, isHidden || (isEtcHidden && IsOf(EtcWhiteout, metadata, Spelling.UsrEtc)), metadata, Spelling.UsrEtc);
        }

        if (Has(etc.Tree, UsrEtcPath, metadata, Spelling.Etc))
        {
            var existing = usr.TryGetDirectory("etc");
            AddDirectory(existing ?? usr.ReplaceWithDirectory("etc"), etc.Tree, etc.Meta, UsrEtcPath, existing is null, isEtcHidden && IsOf(EtcWhiteout, metadata, Spelling.Etc), metadata, Spelling.Etc);
        }
    }

    private void Note(string path, Spelling spelling)
    {
        switch (spelling)
        {
            case Spelling.Etc:
                etcIsLater.Add(path);
                break;
            case Spelling.UsrEtc:
                etcIsLater.Remove(path);
                break;
        }
    }

    private DirTree Part(DirTree tree, string path, LayerMetadata metadata, Spelling spelling) => spelling == Spelling.Any
        ? tree
        : DirTree.From(
            tree.Files.Where(file => IsOf($"{path}/{file.Name}", metadata, spelling)),
            tree.Directories.Where(directory => Has(directory.Tree, $"{path}/{directory.Name}", metadata, spelling)));

    private bool Has(Checksum tree, string path, LayerMetadata metadata, Spelling spelling)
    {
        if (IsDescribed(path, metadata, spelling))
        {
            return true;
        }

        var content = repo.ReadDirTree(tree);
        return content.Files.Any(file => IsOf($"{path}/{file.Name}", metadata, spelling))
            || content.Directories.Any(directory => Has(directory.Tree, $"{path}/{directory.Name}", metadata, spelling));
    }

    private static bool IsDescribed(string path, LayerMetadata metadata, Spelling spelling) => !IsImplied(path, metadata) && IsOf(path, metadata, spelling);

    private static bool IsOf(string path, LayerMetadata metadata, Spelling spelling) => spelling switch
    {
        Spelling.UsrEtc => metadata.UsrEtc.Contains(path),
        Spelling.Etc => !metadata.UsrEtc.Contains(path) || metadata.BothEtc.Contains(path),
        _ => true,
    };

    private void HideAll(MutableTree lower, string path)
    {
        switch (path)
        {
            case "":
                usrEtc = null;
                lower.Clear();
                break;
            case "/usr":
                HideUsr(lower);
                break;
            default:
                lower.Clear();
                break;
        }
    }

    private void Hide(MutableTree lower, string path, string name, LayerMetadata metadata)
    {
        switch (path)
        {
            case "" when name == "usr" && lower.TryGetDirectory("usr") is { } usr:
                HideUsr(usr);
                if (usr.IsEmpty)
                {
                    lower.Remove(name);
                }

                break;
            case "/usr" when name == "etc":
                HideEtc(lower, metadata);
                break;
            default:
                lower.Remove(name);
                break;
        }
    }

    // What a container has in /etc is not in its /usr.
    private void HideUsr(MutableTree usr)
    {
        usrEtc = null;
        foreach (var name in usr.Files.Keys.Concat(usr.Directories.Keys).Where(name => name != "etc").ToArray())
        {
            usr.Remove(name);
        }
    }

    private void HideEtc(MutableTree usr, LayerMetadata metadata)
    {
        if (IsOf(EtcWhiteout, metadata, Spelling.UsrEtc))
        {
            usrEtc = null;
        }

        if (IsOf(EtcWhiteout, metadata, Spelling.Etc))
        {
            usr.Remove("etc");
        }
    }

    // Where both have a name, the later layer's counts.
    private void LayUsrEtcOverEtc()
    {
        if (usrEtc is null)
        {
            return;
        }

        var usr = Root.ReplaceWithDirectory("usr");
        usr.Metadata ??= defaultMeta;
        LayOver(usr.ReplaceWithDirectory("etc"), usrEtc, UsrEtcPath);
    }

    private void LayOver(MutableTree etc, MutableTree other, string path)
    {
        if (other.Metadata is { } described && (etc.Metadata is null || !etcIsLater.Contains(path)))
        {
            etc.Metadata = described;
        }

        etc.Metadata ??= defaultMeta;
        foreach (var (name, checksum) in other.Files)
        {
            if (!etcIsLater.Contains($"{path}/{name}") || !Exists(etc, name))
            {
                etc.ReplaceWithFile(name, checksum);
            }
        }

        foreach (var (name, directory) in other.Directories)
        {
            if (!etcIsLater.Contains($"{path}/{name}") || !etc.TryGetFile(name, out _))
            {
                LayOver(etc.ReplaceWithDirectory(name), directory, $"{path}/{name}");
            }
        }
    }

    private static bool Exists(MutableTree tree, string name) => tree.TryGetFile(name, out _) || tree.TryGetDirectory(name) is not null;
}
