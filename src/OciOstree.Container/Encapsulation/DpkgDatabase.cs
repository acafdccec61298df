using System.Text;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Debian's package database inside a commit: <c>info/PACKAGE[:ARCH].list</c> names the files of each package, <c>diversions</c> the files
/// that one package moved out of another's way.
/// </summary>
internal sealed class DpkgDatabase
{
    // Where images keep what is var/lib/dpkg on a Debian system, for /var is no part of an image.
    private static readonly string[] Places =
    [
        "usr/lib/sysimage/dpkg", "usr/lib/dpkg", "usr/share/dpkg", "usr/share/factory/var/lib/dpkg", "var/lib/dpkg",
    ];

    private readonly CommitContent content;
    private readonly DirTree info;
    private readonly TreePaths treePaths;
    private readonly Dictionary<string, (string To, string By)> diversions = new(StringComparer.Ordinal);

    private DpkgDatabase(CommitContent content, string path, DirTree info)
    {
        this.content = content;
        treePaths = new TreePaths(content);
        this.info = info;
        Path = path;
        ReadDiversions();
        Architecture = ReadArchitecture();
    }

    /// <summary>Its directory in the tree.</summary>
    internal string Path { get; }

    /// <summary>Of the package manager itself, in Go's words; null if it is not to be found.</summary>
    internal string? Architecture { get; }

    /// <summary>The database of this tree; null if it has none.</summary>
    internal static DpkgDatabase? Find(CommitContent content)
    {
        foreach (string place in Places)
        {
            if (content.Find(place, "status") is not null && content.Directories.TryGetValue(place + "/info", out DirTree? info))
            {
                return new DpkgDatabase(content, place, info);
            }
        }

        return null;
    }

    /// <summary>Packages by name, and their paths where these are in the tree: without leading slash, directory links resolved.</summary>
    internal IEnumerable<(string Package, IReadOnlyList<string> Paths)> ReadPackages()
    {
        foreach (DirTreeFile file in info.Files)
        {
            if (!file.Name.EndsWith(".list", StringComparison.Ordinal))
            {
                continue;
            }

            string package = file.Name[..^".list".Length];
            int colon = package.IndexOf(':');
            if (colon >= 0)
            {
                package = package[..colon]; // the same package for two architectures changes as one
            }

            var paths = new List<string>();
            List<string> lines = [.. ReadLines(file.Checksum)];
            for (int i = 0; i < lines.Count; i++)
            {
                string line = lines[i];
                // A directory of the package, listed before what is in it, may be a link in the tree: /bin is nobody's.
                if (i + 1 < lines.Count && lines[i + 1].Length > line.Length && lines[i + 1][line.Length] == '/' && lines[i + 1].StartsWith(line, StringComparison.Ordinal))
                {
                    continue;
                }

                string path = diversions.TryGetValue(line, out (string To, string By) diversion) && diversion.By != package ? diversion.To : line;
                if (treePaths.Resolve(path) is { } resolved)
                {
                    paths.Add(resolved);
                }
            }

            yield return (package, paths);
        }
    }

    // Three lines each: the path, where it went, the package that may still use it (":" for the administrator).
    private void ReadDiversions()
    {
        if (content.Find(Path, "diversions") is { } file)
        {
            List<string> lines = [.. ReadLines(file.Checksum)];
            for (int i = 0; i + 2 < lines.Count; i += 3)
            {
                diversions[lines[i]] = (lines[i + 1], lines[i + 2]);
            }
        }
    }

    // Paragraphs of "Key: value" lines, apart by empty lines; dpkg is a package of itself.
    private string? ReadArchitecture()
    {
        bool wanted = false;
        foreach (string line in ReadLines(content.Find(Path, "status")!.Checksum))
        {
            if (line.StartsWith("Package: ", StringComparison.Ordinal))
            {
                wanted = line == "Package: dpkg";
            }
            else if (wanted && line.StartsWith("Architecture: ", StringComparison.Ordinal))
            {
                string architecture = line["Architecture: ".Length..];
                return architecture switch
                {
                    "amd64" or "arm64" or "riscv64" or "s390x" or "loong64" => architecture,
                    "mips64el" => "mips64le",
                    "armhf" or "armel" => "arm",
                    "i386" => "386",
                    "ppc64el" => "ppc64le",
                    _ => null,
                };
            }
        }

        return null;
    }

    private IEnumerable<string> ReadLines(Checksum checksum)
    {
        using RepoFile file = content.Repo.OpenFile(checksum);
        if (file.Header.IsSymlink)
        {
            yield break;
        }

        using var reader = new StreamReader(file.Content, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
