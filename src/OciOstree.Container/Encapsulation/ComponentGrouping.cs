using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>Divides a commit's objects among components. Who claims first owns.</summary>
internal sealed class ComponentGrouping(CommitContent content)
{
    // Beside packages' 1: what no package owns was made by the build, and changes more often.
    private const uint PackageFrequency = 1;
    private const uint DirectoryFrequency = 100;

    /// <summary>The component that the database itself is.</summary>
    internal const string PackageDatabase = "package-database";

    private const string KernelDirectory = "usr/lib/modules";
    private const int DirectoryDepth = 3;

    private readonly Dictionary<string, Component> components = new(StringComparer.Ordinal);
    private readonly Dictionary<Checksum, string> owners = [];
    private readonly List<string> databasePaths = [];

    internal IReadOnlyDictionary<Checksum, string> Owners => owners;

    /// <summary>By name, so that nothing depends on how they were found.</summary>
    internal IReadOnlyList<Component> Components => [.. components.Values.OrderBy(c => c.Id, StringComparer.Ordinal)];

    /// <param name="databasePath">The directory of the database in the tree.</param>
    /// <param name="packages">By name, with their paths in the tree.</param>
    internal void ClaimPackages(string databasePath, IEnumerable<(string Package, IReadOnlyList<string> Paths)> packages)
    {
        databasePaths.Add(databasePath);
        foreach ((string package, IReadOnlyList<string> paths) in packages)
        {
            foreach (string path in paths)
            {
                // A kernel's package has its version in its name; the kernel's own component keeps its name from build to build.
                if (path.StartsWith(KernelDirectory + "/", StringComparison.Ordinal))
                {
                    continue;
                }

                int slash = path.LastIndexOf('/');
                if (content.Find(slash < 0 ? "" : path[..slash], path[(slash + 1)..]) is { } found)
                {
                    Claim(found, package, PackageFrequency);
                }
            }
        }
    }

    internal void ClaimDirectories()
    {
        foreach (ContentObject item in content.Objects)
        {
            if (!owners.ContainsKey(item.Checksum))
            {
                (string name, uint frequency) = NameOf(item.Paths[0]);
                Claim(item, name, frequency);
            }
        }
    }

    private (string Name, uint Frequency) NameOf(ContentPath path)
    {
        string directory = path.Directory;
        if (directory.StartsWith(KernelDirectory, StringComparison.Ordinal) && directory.Length > KernelDirectory.Length && directory[KernelDirectory.Length] == '/')
        {
            return path.Name == "initramfs.img" ? ("initramfs", Component.EveryBuild) : ("kernel", PackageFrequency);
        }

        if (databasePaths.Any(path => directory == path || directory.StartsWith(path + "/", StringComparison.Ordinal)))
        {
            return (PackageDatabase, Component.EveryBuild);
        }

        uint frequency = databasePaths.Count > 0 ? DirectoryFrequency : PackageFrequency;
        if (directory.Length == 0)
        {
            return ("toplevel", frequency);
        }

        int end = -1;
        for (int depth = 0; depth < DirectoryDepth; depth++)
        {
            end = directory.IndexOf('/', end + 1);
            if (end < 0)
            {
                return (directory, frequency);
            }
        }

        return (directory[..end], frequency);
    }

    private void Claim(ContentObject item, string name, uint frequency)
    {
        name = name.Replace(ChunkPlan.ComponentSeparator, '_'); // the separator of the annotation that remembers the names
        components.TryAdd(name, new Component(name, name, frequency));
        owners.TryAdd(item.Checksum, name);
    }
}
