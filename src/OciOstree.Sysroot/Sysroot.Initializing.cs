using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    private static readonly string[] TraditionalDirectories = ["dev", "home", "proc", "run", "sys"];

    /// <summary>
    /// Makes an existing directory a sysroot: <c>boot</c>, <c>ostree/repo</c>, <c>ostree/deploy</c>. Epoch 0 adds the empty directories of a classic root,
    /// 1 nothing more, 2 (or higher) closes <c>ostree</c> to all but root. Doing it again changes nothing.
    /// </summary>
    public static void Initialize(string path, int epoch = 0)
    {
        if (epoch < 0)
        {
            throw new SysrootException($"Invalid epoch: {epoch}");
        }
        try
        {
            using LinuxDirectory root = LinuxDirectory.Open(path);
            root.MakePath("boot", DirectoryMode);
            if (epoch == 0)
            {
                foreach (string name in TraditionalDirectories)
                {
                    root.MakePath(name, DirectoryMode);
                }
                root.MakePath("root", PrivateDirectoryMode);
                root.MakePath("tmp", DirectoryMode);
                root.SetMode("tmp", 0x3FF /* 01777 */);
            }
            else if (epoch >= 2)
            {
                root.MakePath("ostree", PrivateDirectoryMode);
            }
            EnsureStructure(root, path);
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw new SysrootException($"Initializing the sysroot {path}", e);
        }
    }

    /// <summary>Makes a stateroot: the name under which deployments share a <c>/var</c>.</summary>
    public void InitializeStateroot(string name)
    {
        RequireStaterootName(name);
        try
        {
            EnsureStructure(Root, Path);
            FaultPoint.Before($"mkdir ostree/deploy/{name}");
            OstreeDirectory.MakeDirectory($"deploy/{name}", DirectoryMode);
            FaultPoint.Before($"mkdir ostree/deploy/{name}/var");
            OstreeDirectory.MakeDirectory($"deploy/{name}/var", DirectoryMode);
            Touch();
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw new SysrootException($"Creating the stateroot {name}", e);
        }
    }

    /// <summary>As <see cref="InitializeStateroot"/>, where there may be one already: whole, or half of one, which an installation left that was cut short.</summary>
    internal void EnsureStateroot(string name)
    {
        if (!Stateroots().Contains(name))
        {
            InitializeStateroot(name);
        }
        else if (OstreeDirectory.TryStatus($"deploy/{name}/var") is null)
        {
            Changes.MakePath(OstreeDirectory, $"deploy/{name}/var", DirectoryMode);
        }
    }

    public IReadOnlyList<string> Stateroots()
    {
        using LinuxDirectory? stateroots = OstreeDirectory.TryOpenDirectory("deploy");
        return [.. (stateroots?.ReadEntries() ?? []).Where(e => e.Type == FileType.Directory).Select(e => e.Name).Order(StringComparer.Ordinal)];
    }

    private static void EnsureStructure(LinuxDirectory root, string path)
    {
        root.MakePath("ostree/repo", DirectoryMode);
        root.MakePath("ostree/deploy", DirectoryMode);
        if (root.TryStatus("ostree/repo/config") is null)
        {
            Repo.Create(Join(path, "ostree/repo"), RepoMode.Bare).Dispose();
        }
    }

    /// <summary>A stateroot's name becomes a directory and part of boot paths and kernel arguments.</summary>
    private static void RequireStaterootName(string name)
    {
        if (name.Length == 0 || name is "." or ".." || name.Contains('/') || name.Contains(' ') || name.Contains('\n'))
        {
            throw new SysrootException($"Invalid stateroot name '{name}'");
        }
    }

    /// <summary>The directories of <c>/var</c> that a system without systemd-tmpfiles relies on.</summary>
    private static void MakeClassicVar(LinuxDirectory var)
    {
        FaultPoint.Before("var skeleton");
        var.TryMakeDirectory("tmp", DirectoryMode);
        var.SetMode("tmp", 0x3FF /* 01777 */);
        var.TryMakeDirectory("lib", DirectoryMode);
        // The journal of the first boot goes here before anything could make it.
        var.TryMakeDirectory("log", DirectoryMode);
        if (var.TryStatus("run") is null)
        {
            var.MakeSymbolicLink("../run", "run");
        }
        if (var.TryStatus("lock") is null)
        {
            var.MakeSymbolicLink("../run/lock", "lock");
        }
    }
}
