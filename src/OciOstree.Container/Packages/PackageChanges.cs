namespace OciOstree.Container;

/// <summary>What changed from one set of packages to another, by name.</summary>
public sealed record PackageChanges(IReadOnlyList<Package> Added, IReadOnlyList<Package> Removed, IReadOnlyList<PackageUpdate> Updated)
{
    /// <summary>
    /// A package that each side has once is updated if the versions differ. Of those that may be installed several times over (kernels) each version
    /// is added or removed.
    /// </summary>
    public static PackageChanges Between(IEnumerable<Package> old, IEnumerable<Package> now)
    {
        var before = old.ToLookup(Key);
        var after = now.ToLookup(Key);
        List<Package> added = [], removed = [];
        List<PackageUpdate> updated = [];
        foreach (var key in before.Select(group => group.Key).Union(after.Select(group => group.Key)).OrderBy(key => key.Name, StringComparer.Ordinal).ThenBy(key => key.Architecture, StringComparer.Ordinal))
        {
            List<Package> gone = [.. before[key].Except(after[key])];
            List<Package> come = [.. after[key].Except(before[key])];
            if (gone.Count == 1 && come.Count == 1)
            {
                updated.Add(new PackageUpdate(gone[0], come[0]));
            }
            else
            {
                removed.AddRange(gone);
                added.AddRange(come);
            }
        }

        return new PackageChanges(added, removed, updated);
    }

    private static (PackageKind Kind, string Name, string Architecture) Key(Package package) => (package.Kind, package.Name, package.Architecture);
}
