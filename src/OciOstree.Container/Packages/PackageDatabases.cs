using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>The package databases that a root may have, and where: on a running system, and where images keep what cannot be in <c>/var</c>.</summary>
public static class PackageDatabases
{
    private static readonly string[] DpkgPlaces =
    [
        "var/lib/dpkg", "usr/lib/sysimage/dpkg", "usr/lib/dpkg", "usr/share/dpkg", "usr/share/factory/var/lib/dpkg",
    ];

    private static readonly string[] RpmPlaces =
    [
        "usr/lib/sysimage/rpm", "usr/share/rpm", "var/lib/rpm", "usr/share/factory/var/lib/rpm",
    ];

    // The first that exists counts: a database that was converted may have left its old form behind.
    private static readonly string[] RpmFiles = ["rpmdb.sqlite", "Packages.db", "Packages"];

    private const string RpmLog = "rpmdb.sqlite-wal";

    private static readonly string[] ApkPlaces = ["lib/apk/db", "usr/lib/apk/db"];

    private static readonly string[] PacmanPlaces =
    [
        "var/lib/pacman/local", "usr/lib/sysimage/pacman/local", "usr/lib/sysimage/lib/pacman/local", "usr/share/pacman/local", "usr/share/factory/var/lib/pacman/local", "usr/lib/pacman/local",
    ];

    /// <summary>Whether the file at a path (no leading slash) is part of a package database.</summary>
    public static bool IsPart(string path)
    {
        var slash = path.LastIndexOf('/');
        if (slash < 0)
        {
            return false;
        }

        var (directory, name) = (path[..slash], path[(slash + 1)..]);
        return name switch
        {
            "status" => DpkgPlaces.Contains(directory),
            "installed" => ApkPlaces.Contains(directory),
            RpmLog => RpmPlaces.Contains(directory),
            "desc" => PacmanPlaces.Any(place => IsChild(directory, place)),
            _ => RpmFiles.Contains(name) ? RpmPlaces.Contains(directory) : directory.EndsWith("/status.d", StringComparison.Ordinal) && DpkgPlaces.Any(place => IsChild(directory, place)),
        };

        static bool IsChild(string directory, string parent) => directory.StartsWith(parent, StringComparison.Ordinal) && directory.LastIndexOf('/') == parent.Length;
    }

    /// <summary>All packages that a root has, by name; of each package manager the first database that has any.</summary>
    /// <exception cref="ContainerException">A database is damaged.</exception>
    public static IReadOnlyList<Package> Read(RootTree tree)
    {
        List<Package> packages = [];
        foreach (var read in (ReadOnlySpan<Func<RootTree, IEnumerable<Package>>>)[ReadDpkg, ReadRpm, ReadApk, ReadPacman])
        {
            packages.AddRange(read(tree));
        }

        return [.. packages.OrderBy(package => package.Name, StringComparer.Ordinal).ThenBy(package => package.Architecture, StringComparer.Ordinal).ThenBy(package => package.Version, StringComparer.Ordinal)];
    }

    /// <summary>The rpm database's file in a root; null if there is none.</summary>
    internal static RootNode? FindRpm(RootTree tree) =>
        RpmPlaces.SelectMany(place => RpmFiles.Select(name => tree.Find($"{place}/{name}"))).FirstOrDefault(node => node is { IsFile: true, Size: > 0 });

    /// <summary>The headers in the rpm database of a root.</summary>
    internal static IEnumerable<RpmHeader> ReadRpmHeaders(RootTree tree, RootNode database)
    {
        using var content = Open(tree, database);
        using var log = database.Name == RpmFiles[0] && database.Parent!.Child(RpmLog) is { IsFile: true, Size: > 0 } node ? Open(tree, node) : null;
        var headers = database.Name switch
        {
            "rpmdb.sqlite" => RpmDatabase.ReadSqlite(content, log),
            "Packages.db" => RpmDatabase.ReadNdb(content),
            _ => RpmDatabase.ReadBerkeley(content),
        };
        foreach (var header in headers)
        {
            yield return header;
        }
    }

    private static List<Package> ReadDpkg(RootTree tree)
    {
        foreach (var place in DpkgPlaces)
        {
            // Images without a package manager of their own have a file for each package instead.
            List<RootNode> files = [.. tree.Find(place + "/status.d")?.Children.Where(node => node.IsFile && !node.Name.EndsWith(".md5sums", StringComparison.Ordinal)) ?? []];
            if (tree.Find(place + "/status") is { IsFile: true } status)
            {
                files.Add(status);
            }

            var packages = files.SelectMany(file => Parse(tree, file, PackageText.ReadDpkg)).ToList();
            if (packages.Count > 0)
            {
                return packages;
            }
        }

        return [];
    }

    private static List<Package> ReadRpm(RootTree tree)
    {
        if (FindRpm(tree) is not { } database)
        {
            return [];
        }

        try
        {
            // Keys that signatures are checked with are entered as packages, too.
            return [.. ReadRpmHeaders(tree, database).Select(header => header.ToPackage()).Where(package => package.Name != "gpg-pubkey")];
        }
        catch (PackageDatabaseException e)
        {
            throw new ContainerException($"Reading {database.Path}", e);
        }
    }

    private static List<Package> ReadApk(RootTree tree)
    {
        foreach (var place in ApkPlaces)
        {
            if (tree.Find(place + "/installed") is { IsFile: true } installed && Parse(tree, installed, PackageText.ReadApk) is { Count: > 0 } packages)
            {
                return packages;
            }
        }

        return [];
    }

    private static List<Package> ReadPacman(RootTree tree)
    {
        foreach (var place in PacmanPlaces)
        {
            List<Package> packages = [.. tree.Find(place)?.Children.Select(node => node.Child("desc")).OfType<RootNode>().Where(node => node.IsFile)
                .SelectMany(node => Parse(tree, node, stream => [PackageText.ReadPacman(stream)])) ?? []];
            if (packages.Count > 0)
            {
                return packages;
            }
        }

        return [];
    }

    private static List<Package> Parse(RootTree tree, RootNode file, Func<Stream, IEnumerable<Package>> parse)
    {
        using var content = tree.Open(file) ?? throw new ContainerException($"{file.Path} is not at hand");
        try
        {
            return [.. parse(content)];
        }
        catch (PackageDatabaseException e)
        {
            throw new ContainerException($"Reading {file.Path}", e);
        }
    }

    // Databases are read at any place; compressed objects cannot be.
    private static Stream Open(RootTree tree, RootNode file)
    {
        var content = tree.Open(file) ?? throw new ContainerException($"{file.Path} is not at hand");
        if (content.CanSeek)
        {
            return content;
        }

        using (content)
        {
            var copy = new FileStream(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 64 << 10, FileOptions.DeleteOnClose);
            content.CopyTo(copy);
            return copy;
        }
    }
}
