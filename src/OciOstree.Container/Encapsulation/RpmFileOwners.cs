namespace OciOstree.Container;

/// <summary>Which files of a commit belong to which package, by the rpm database in it.</summary>
internal sealed class RpmFileOwners
{
    private RpmFileOwners(string path, string? architecture, IReadOnlyList<(string Package, IReadOnlyList<string> Paths)> packages) =>
        (Path, Architecture, Packages) = (path, architecture, packages);

    /// <summary>The database's directory in the tree.</summary>
    internal string Path { get; }

    /// <summary>What most packages are for, in Go's words; null if no such architecture is known.</summary>
    internal string? Architecture { get; }

    /// <summary>Packages by name, and their paths where these are in the tree: without leading slash, directory links resolved.</summary>
    internal IReadOnlyList<(string Package, IReadOnlyList<string> Paths)> Packages { get; }

    /// <summary>Null if the commit has no such database.</summary>
    /// <exception cref="ContainerException">It is damaged.</exception>
    internal static RpmFileOwners? Find(CommitContent content)
    {
        using var tree = RootTree.PartOfCommit(content, PackageDatabases.IsPart);
        if (PackageDatabases.FindRpm(tree) is not { } database)
        {
            return null;
        }

        var paths = new TreePaths(content);
        List<(string, IReadOnlyList<string>)> packages = [];
        Dictionary<string, int> architectures = new(StringComparer.Ordinal);
        try
        {
            foreach (var header in PackageDatabases.ReadRpmHeaders(tree, database))
            {
                architectures[header.Architecture] = architectures.GetValueOrDefault(header.Architecture) + 1;
                packages.Add((header.Name, [.. header.Files().Select(paths.Resolve).OfType<string>()]));
            }
        }
        catch (PackageDatabaseException e)
        {
            throw new ContainerException($"Reading {database.Path}", e);
        }

        // The order of a database is that of installation; who claims a file that several have must not depend on it.
        packages.Sort((a, b) => string.CompareOrdinal(a.Item1, b.Item1));
        var common = architectures.Where(pair => ToGo(pair.Key) is not null).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key).FirstOrDefault();
        return new RpmFileOwners(database.Parent!.Path[1..], common is null ? null : ToGo(common), packages);
    }

    private static string? ToGo(string architecture) => architecture switch
    {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "armv7hl" => "arm",
        "i386" or "i486" or "i586" or "i686" => "386",
        "ppc64le" or "s390x" or "riscv64" => architecture,
        "loongarch64" => "loong64",
        _ => null,
    };
}
