using System.Globalization;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>
    /// Removes what no boot entry leads to: deployments, links, kernels, the other loader directory; holds the deployed commits by refs
    /// (<c>ostree/BOOT/SUB/N</c>); then removes the repository's unreferenced objects unless <paramref name="prune"/> is false.
    /// Objects that any other ref holds, such as those of container images, stay.
    /// </summary>
    /// <returns>What pruning removed; null if it was not asked for.</returns>
    public PruneResult? Cleanup(bool prune = true)
    {
        RequireWritable();
        try
        {
            RemoveOtherBootVersions();
            RemoveUnusedDeployments();
            CleanBoot();
            WriteDeploymentRefs();
            if (!prune)
            {
                return null;
            }
            FaultPoint.Before("prune");
            return Repo.Prune(new PruneOptions { RefsOnly = true, Depth = 0 });
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw Wrap("Cleaning up", e);
        }
    }

    private void RemoveOtherBootVersions()
    {
        int other = BootVersion == 0 ? 1 : 0;
        if (TryOpenBoot() is { } boot)
        {
            Changes.RemoveTree(boot, Invariant($"loader.{other}"));
        }
        foreach (string name in new[] { "", ".0", ".1" })
        {
            Changes.RemoveTree(OstreeDirectory, Invariant($"boot.{other}{name}"));
        }
        Changes.RemoveTree(OstreeDirectory, Invariant($"boot.{BootVersion}.{(SubBootVersion == 0 ? 1 : 0)}"));
    }

    private void RemoveUnusedDeployments()
    {
        foreach (Deployment deployment in ListDirectories())
        {
            if (!deployments.Exists(d => d.IsSame(deployment)))
            {
                RemoveDeployment(deployment);
            }
        }
    }

    /// <summary>The directory goes last: it alone says that there is something to remove.</summary>
    private void RemoveDeployment(Deployment deployment)
    {
        using (LinuxDirectory? root = Root.TryOpenDirectory(deployment.Path))
        {
            if (root is null || root.Status() is var status && (IsBooted && IsRunningFrom(status) || status.IsSameFile(runningRoot)))
            {
                return;
            }
            FaultPoint.Before("clear immutable");
            Files.TrySetImmutable(root.Handle, false);
        }
        string inOstree(string path) => path["ostree/".Length..];
        Changes.RemoveTree(OstreeDirectory, inOstree(deployment.BackingPath));
        Changes.RemoveTree(OstreeDirectory, inOstree(deployment.OriginPath));
        Changes.RemoveTree(OstreeDirectory, inOstree(deployment.Path));
    }

    /// <summary>Removes kernels and overlay images from /boot that no deployment uses.</summary>
    private void CleanBoot()
    {
        if (TryOpenBoot() is not { } boot)
        {
            return;
        }
        HashSet<string> used = [.. deployments.Select(d => d.BootChecksum)];
        foreach (string name in BootDirectories())
        {
            if (!used.Contains(name[(name.LastIndexOf('-') + 1)..]))
            {
                Changes.RemoveTree(boot, $"ostree/{name}");
            }
        }

        HashSet<string> usedOverlays = [.. deployments.SelectMany(d => d.OverlayInitrds)];
        using LinuxDirectory? overlays = boot.TryOpenDirectory(OverlayDirectory);
        foreach (DirectoryEntry file in overlays?.ReadEntries() ?? [])
        {
            if (file.Type == FileType.RegularFile && !usedOverlays.Contains(System.IO.Path.GetFileNameWithoutExtension(file.Name)))
            {
                Changes.TryUnlink(overlays!, file.Name);
            }
        }
    }

    /// <summary>The names in /boot/ostree that end in a boot checksum; others are not ours to touch.</summary>
    private List<string> BootDirectories()
    {
        using LinuxDirectory? directory = TryOpenBoot()?.TryOpenDirectory("ostree");
        return [.. (directory?.ReadEntries() ?? [])
            .Where(e => e.Type == FileType.Directory && e.Name.LastIndexOf('-') is >= 0 and var dash && KernelLayout.IsChecksum(e.Name.AsSpan(dash + 1)))
            .Select(e => e.Name)];
    }

    /// <summary>Deployed commits are held by refs named after the current boot version, so that nobody's pruning takes them away.</summary>
    private void WriteDeploymentRefs()
    {
        string current = Invariant($"ostree/{BootVersion}/{SubBootVersion}/");
        var wanted = new Dictionary<string, Checksum>();
        for (int i = 0; i < deployments.Count; i++)
        {
            wanted[current + i.ToString(CultureInfo.InvariantCulture)] = deployments[i].Commit;
        }
        IReadOnlyDictionary<string, Checksum> present = Repo.ListRefs("ostree");
        List<string> stale = [.. present.Keys.Where(name => IsDeploymentRef(name) && !wanted.ContainsKey(name) && !name.StartsWith(current, StringComparison.Ordinal))];
        List<KeyValuePair<string, Checksum>> changed = [.. wanted.Where(w => !present.TryGetValue(w.Key, out Checksum commit) || commit != w.Value)];
        if (stale.Count == 0 && changed.Count == 0)
        {
            return;
        }
        FaultPoint.Before("write deployment refs");
        using RepoTransaction transaction = Repo.BeginTransaction();
        foreach (string name in stale)
        {
            transaction.SetRef(name, null);
        }
        foreach ((string name, Checksum commit) in changed)
        {
            transaction.SetRef(name, commit);
        }
        transaction.Commit();
    }

    private static bool IsDeploymentRef(string name) =>
        name.Split('/') is ["ostree", "0" or "1", "0" or "1", var index] && Numbers.TryParse(index, out _);
}
