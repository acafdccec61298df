using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>
    /// Puts a new deployment into the boot order, drops the ones that <paramref name="retention"/> does not keep, and switches.
    /// </summary>
    public void AddDeployment(Deployment added, Deployment? merge = null, Retention retention = Retention.Default, bool clean = true)
    {
        bool all = retention.HasFlag(Retention.All);
        bool pending = retention.HasFlag(Retention.Pending);
        bool rollback = retention.HasFlag(Retention.Rollback);
        // With neither a booted nor a merged deployment there is no before and after.
        all |= Booted is null && merge is null && (pending || rollback);

        var wanted = new List<Deployment>();
        bool placed = false;
        if (!retention.HasFlag(Retention.NotAsDefault))
        {
            wanted.Add(added);
            placed = true;
        }
        bool beforeBooted = true;
        bool beforeMerge = true;
        foreach (Deployment deployment in deployments)
        {
            bool isBooted = deployment.IsSame(Booted);
            bool isMerge = deployment.IsSame(merge);
            beforeBooted &= !isBooted;
            beforeMerge &= !isMerge;
            bool crossed = Booted is not null ? !beforeBooted : !beforeMerge;
            if (all || isBooted || isMerge || deployment.IsPinned || deployment.Stateroot != added.Stateroot
                || (pending && !crossed) || (rollback && crossed))
            {
                wanted.Add(deployment);
            }
            if (!placed && crossed)
            {
                wanted.Add(added);
                placed = true;
            }
        }
        if (!placed)
        {
            wanted.Add(added);
        }
        try
        {
            WriteDeployments(wanted, clean);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            AbandonUnlessCurrent(added);
            throw;
        }
    }

    /// <summary>After a failed switch nothing leads to the new deployment; after one whose aftermath failed it is what boots.</summary>
    private void AbandonUnlessCurrent(Deployment added)
    {
        try
        {
            Reload();
        }
        catch (Exception e) when (e is IOException or SysrootException)
        {
            Warn($"{added.Path} may have to be cleaned up: {e.Message}");
            return;
        }
        if (!deployments.Exists(d => d.IsSame(added)))
        {
            Abandon(added);
        }
    }

    /// <summary>
    /// Makes the given deployments, which are on disk already, the ones that boot, in their order. All that the new state needs is written and flushed
    /// before the one rename that makes it current: whoever cuts the power finds the old state or the new. A staged deployment stays if it is the first.
    /// </summary>
    public void WriteDeployments(IReadOnlyList<Deployment> wanted, bool clean = true)
    {
        RequireWritable();
        try
        {
            if (!debug.NoEarlyPrune)
            {
                PruneBootEarly(wanted);
            }
            Write(wanted, clean);
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw Wrap("Writing the boot entries", e);
        }
    }

    private void Write(IReadOnlyList<Deployment> wanted, bool clean)
    {
        bool droppedStaged = Staged is not null && !(wanted.Count > 0 && ReferenceEquals(wanted[0], Staged));
        List<Deployment> bootable = [.. wanted.Where(d => !d.IsStaged)];
        List<Deployment> current = [.. deployments.Where(d => !d.IsStaged)];
        if (Booted is not null && !bootable.Exists(d => d.IsSame(Booted)))
        {
            throw new SysrootException("Attempting to remove booted deployment");
        }
        foreach (Deployment deployment in bootable)
        {
            if (Root.TryStatus(deployment.Path) is null)
            {
                throw new SysrootException($"Unable to find expected deployment root: {PathOf(deployment)}");
            }
        }
        if (droppedStaged)
        {
            DropStaged();
        }
        if (deployments.Exists(d => d.IsSoftRebootTarget) && !wanted.Any(d => d.IsSoftRebootTarget))
        {
            UnmountNextRoot();
        }

        AssignBootSerials(bootable);
        bool newBootVersion = bootable.Count != current.Count || !bootable.Zip(current).All(pair => HaveEqualEntries(pair.First, pair.Second));
        if (!newBootVersion && bootable.Zip(current).All(pair => ReferenceEquals(pair.First, pair.Second)))
        {
            if (droppedStaged)
            {
                Finish(clean: false);
            }
            return;
        }
        for (int i = 0; i < bootable.Count; i++)
        {
            bootable[i].Index = i;
        }

        ArmGrubCounter(bootable, current);
        Bootloader? bootloader = newBootVersion ? Bootloader.Find(this) : null;
        string subBootDirectory = newBootVersion ? SwapBootEntries(bootable, bootloader) : SwapLinksOnly(bootable);
        bool atomic = !newBootVersion || (bootloader?.IsAtomic ?? false);
        Tell(Invariant($"{(atomic ? "Transaction complete" : "Bootloader updated")}; bootconfig swap: {(newBootVersion ? "yes" : "no")}; bootversion: {subBootDirectory}, deployment count change: {bootable.Count - current.Count}"));
        Finish(clean);
    }

    /// <summary>
    /// Lets GRUB count the tries of a new default, where the machine counts boots and GRUB has an environment to count in. Before the switch: a default
    /// without its counter could fail for ever, a counter without its default only until the next good boot.
    /// </summary>
    private void ArmGrubCounter(List<Deployment> wanted, List<Deployment> current)
    {
        if (Settings.BootCountingTries == 0 || wanted.Count == 0 || (current.Count > 0 && wanted[0].IsSame(current[0])))
        {
            return;
        }
        bool proven = BootHealth.StateOf(this, wanted[0]) == HealthState.Good;
        GrubEnvironmentFile.TryChange(Root, environment =>
        {
            environment["boot_counter"] = proven ? null : Invariant($"{Settings.BootCountingTries}");
            environment["boot_success"] = proven ? "1" : "0";
        });
    }

    private void Finish(bool clean)
    {
        Touch();
        Reload();
        if (clean)
        {
            Cleanup();
        }
    }

    /// <summary>Kernel and arguments did not change: the entries lead through <c>ostree/boot.N</c>, and swapping that link is all.</summary>
    private string SwapLinksOnly(List<Deployment> wanted)
    {
        string name = Invariant($"boot.{BootVersion}.{(SubBootVersion == 0 ? 1 : 0)}");
        try
        {
            MakeBootLinks(BootVersion, wanted);
            FlushAll();
            Changes.ReplaceLink(OstreeDirectory, name, Invariant($"boot.{BootVersion}"));
        }
        catch
        {
            UndoRemoving(OstreeDirectory, Invariant($"boot.{BootVersion}.tmp"));
            UndoRemoving(OstreeDirectory, name);
            throw;
        }
        Flush(OstreeDirectory);
        return name;
    }

    /// <summary>Writes <c>loader.N</c> for the N that is not current, what it needs, and renames <c>loader</c> to it.</summary>
    private string SwapBootEntries(List<Deployment> wanted, Bootloader? bootloader)
    {
        int version = BootVersion == 0 ? 1 : 0;
        LinuxDirectory boot = BootDirectory;
        var installed = new List<string>();
        string linksName;
        try
        {
            string entries = Invariant($"loader.{version}/entries");
            Changes.RemoveTree(boot, entries);
            Changes.MakePath(boot, entries, DirectoryMode);
            bool nameStateroot = wanted.Exists(d => d.Stateroot != wanted[0].Stateroot);
            foreach (Deployment deployment in wanted)
            {
                InstallKernel(version, deployment, wanted.Count, nameStateroot, installed);
            }
            linksName = MakeBootLinks(version, wanted);
            Changes.ReplaceLink(OstreeDirectory, linksName, Invariant($"boot.{version}"));
            bootloader?.WriteConfig(version, wanted);

            // Paths in the entries begin at /boot or at the root, whichever file system the boot loader reads.
            if (boot.TryStatus("boot") is null)
            {
                Changes.MakeLink(boot, ".", "boot");
            }
            Changes.ReplaceLink(boot, Invariant($"loader.{version}"), "loader.tmp");
            FlushAll();
            Changes.Rename(boot, "loader.tmp", "loader");
        }
        catch
        {
            UndoConfig(bootloader);
            UndoSwap(version, installed);
            throw;
        }

        FlushBoot();
        bootloader?.AfterSwitch(version);
        return linksName;
    }

    private void UndoConfig(Bootloader? bootloader)
    {
        try
        {
            bootloader?.UndoConfig();
        }
        catch (IOException e)
        {
            Warn($"The boot loader's configuration names what is not there: {e.Message}");
        }
    }

    /// <summary>Nothing current refers to what a failed switch wrote, so it goes away; a crash here leaves it to the next cleanup.</summary>
    private void UndoSwap(int version, List<string> installed)
    {
        LinuxDirectory boot = BootDirectory;
        UndoRemoving(boot, "loader.tmp");
        UndoRemoving(boot, "loader.tmp.tmp");
        UndoRemoving(boot, Invariant($"loader.{version}"));
        foreach (string name in new[] { "", ".tmp", ".0", ".1" })
        {
            UndoRemoving(OstreeDirectory, Invariant($"boot.{version}{name}"));
        }
        for (int i = installed.Count - 1; i >= 0; i--)
        {
            UndoRemoving(boot, installed[i]);
        }
    }

    private void UndoRemoving(LinuxDirectory directory, string name)
    {
        try
        {
            Changes.RemoveTree(directory, name);
        }
        catch (IOException e)
        {
            Warn($"{directory.PathOf(name)} stays until the next cleanup: {e.Message}");
        }
    }

    /// <summary>Makes <c>ostree/boot.VERSION.SUB</c>, the links that <c>ostree=</c> goes through, for the SUB that is not current.</summary>
    private string MakeBootLinks(int version, List<Deployment> wanted)
    {
        int current = version == BootVersion ? SubBootVersion : ReadSubBootVersion(version);
        string name = Invariant($"boot.{version}.{(current == 0 ? 1 : 0)}");
        Changes.RemoveTree(OstreeDirectory, name);
        Changes.MakePath(OstreeDirectory, name, DirectoryMode);
        using LinuxDirectory links = OstreeDirectory.OpenDirectory(name);
        foreach (Deployment deployment in wanted)
        {
            string parent = $"{deployment.Stateroot}/{deployment.BootChecksum}";
            Changes.MakePath(links, parent, DirectoryMode);
            Changes.MakeLink(links, $"../../../deploy/{deployment.Stateroot}/deploy/{deployment.Name}", Invariant($"{parent}/{deployment.BootSerial}"));
        }
        return name;
    }

    /// <summary>Deployments with the same kernel share its directory in /boot and are told apart by a number.</summary>
    private static void AssignBootSerials(List<Deployment> deployments)
    {
        var next = new Dictionary<string, int>();
        foreach (Deployment deployment in deployments)
        {
            next.TryGetValue(deployment.BootChecksum, out int serial);
            deployment.BootSerial = serial;
            next[deployment.BootChecksum] = serial + 1;
        }
    }

    /// <summary>Whether a boot loader could not tell one from the other: then its configuration need not be touched.</summary>
    private bool HaveEqualEntries(Deployment a, Deployment b)
    {
        return a.BootChecksum == b.BootChecksum
            && a.Stateroot == b.Stateroot
            && a.OverlayInitrds.SequenceEqual(b.OverlayInitrds)
            && WithoutOstree(a) == WithoutOstree(b)
            && VersionOf(a.Commit) == VersionOf(b.Commit);

        static string WithoutOstree(Deployment deployment)
        {
            KernelArguments arguments = deployment.KernelArguments;
            arguments.Replace("ostree");
            return arguments.ToString();
        }
    }

    /// <summary>The version that the commit's metadata names; null when it names none or the commit is missing.</summary>
    public string? VersionOf(Checksum commit) =>
        Repo.HasObject(new ObjectName(commit, ObjectType.Commit)) && Repo.ReadCommit(commit).Metadata.Lookup("version") is { Type: "s" } version
            ? version.AsString()
            : null;

    /// <summary>Flushes the repository's file system and the boot loader's.</summary>
    internal void FlushAll()
    {
        Flush(OstreeDirectory);
        FlushBoot();
    }

    /// <summary>Flushes /boot so that boot loaders see it, which read the file system but not its journal: a freeze empties that.</summary>
    private void FlushBoot()
    {
        if (options.WatchdogCommand is not { } watchdog)
        {
            Flush(BootDirectory);
            return;
        }
        FaultPoint.Before($"freeze {BootDirectory.Path}");
        if (!debug.SkipSync)
        {
            FreezeWatchdog.FlushByFreezing(BootDirectory, watchdog, debug.TestFreeze);
        }
    }

    private void Flush(LinuxDirectory directory)
    {
        FaultPoint.Before($"sync {directory.Path}");
        if (!debug.SkipSync)
        {
            directory.SyncFileSystem();
        }
    }

    private void RequireWritable()
    {
        if (options.ReadOnly)
        {
            throw new InvalidOperationException("The sysroot was opened to be read only");
        }
    }
}
