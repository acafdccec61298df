using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    private const string StagedFile = "ostree/staged-deployment";
    private const string StagedLockFile = "ostree/staged-deployment-locked";
    private const string FailureFile = "ostree/finalize-failure.stamp";
    private static readonly string[] EntryKeysOfOurs = ["title", "version", "options", "linux", "initrd", "devicetree"];

    private const string FinalizationUnit = "ostree-finalize-staged.service";

    /// <summary>
    /// Whether the running system is booted from this sysroot and runs systemd with the unit that finalises a staged deployment at shutdown: ostree's, or
    /// ours of the same name. Without it nothing would.
    /// </summary>
    public bool CanStage => Booted is not null
        && (options.StartFinalization is not null || (Directory.Exists(RuntimePath("systemd/system")) && HasFinalizationUnit()));

    private static bool HasFinalizationUnit() =>
        Array.Exists(["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"], place => File.Exists($"{place}/systemd/system/{FinalizationUnit}"));

    /// <summary>
    /// Checks a commit out now and leaves the merge of <c>/etc</c> and the boot entries to the shutdown, so that what the administrator does until then is
    /// carried over too. Replaces a deployment staged before. The running system must be booted from this sysroot.
    /// </summary>
    public Deployment Stage(DeployRequest request)
    {
        RequireWritable();
        if (Booted is null)
        {
            throw new SysrootException("Cannot stage deployment: Not currently booted into an OSTree system");
        }
        // What is staged now is for the shutdown to boot, not for a soft reboot prepared before.
        ClearSoftReboot();
        (options.StartFinalization ?? StartFinalizationUnit)();
        Deployment? deployment = null;
        try
        {
            deployment = CheckOut(request);
            using (LinuxDirectory root = OpenDeployment(deployment))
            using (DeploymentLabels labels = OpenLabels(root, required: false, request.Labels))
            {
                WriteOrigin(deployment, sync: false, labels);
            }
            Deployment? previous = Staged;
            using (LinuxDirectory runtime = OpenRuntime())
            {
                Changes.MakePath(runtime, "ostree", DirectoryMode);
                Changes.ReplaceFile(runtime, StagedFile, Describe(deployment, request).Data.Span, sync: false);
                if (previous is not null)
                {
                    RemoveDeployment(previous);
                    Changes.TryUnlink(runtime, StagedLockFile);
                }
                if (request.LockFinalization)
                {
                    TouchLock(runtime);
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (deployment is not null && !IsNamedAsStaged(deployment))
            {
                Abandon(deployment);
            }
            throw Wrap("Staging deployment", e);
        }
        Touch();
        Reload();
        Cleanup(prune: false);
        return Staged ?? throw new SysrootException("The staged deployment cannot be found again");
    }

    /// <summary>What the shutdown does: merges <c>/etc</c> and makes the staged deployment the default. Nothing when none is staged or it is locked.</summary>
    /// <returns>Whether a deployment was finalised.</returns>
    public bool FinalizeStaged()
    {
        RequireWritable();
        try
        {
            bool done = FinalizeStagedNow();
            if (BootDirectory.TryStatus(FailureFile) is not null)
            {
                Changes.TryUnlink(BootDirectory, FailureFile);
            }
            return done;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The next boot tells: nobody reads what a shutdown prints.
            try
            {
                Changes.MakePath(BootDirectory, "ostree", DirectoryMode);
                Changes.ReplaceFile(BootDirectory, FailureFile, System.Text.Encoding.UTF8.GetBytes(ErrorChain.Of(e)), sync: true);
            }
            catch (Exception stamp) when (stamp is IOException or SysrootException)
            {
                Warn($"Writing boot/{FailureFile}: {stamp.Message}");
            }
            throw;
        }
    }

    /// <summary>What the boot does: tells, once, why the shutdown before could not finalise what was staged, and completes a soft reboot.</summary>
    public void CompleteBoot()
    {
        if (BootDirectory.TryReadAllBytes(FailureFile, SmallFile) is { } failure)
        {
            Changes.TryUnlink(BootDirectory, FailureFile);
            throw new SysrootException($"ostree-finalize-staged.service failed on previous boot: {System.Text.Encoding.UTF8.GetString(failure)}");
        }
        // A soft reboot has happened: what it was prepared for is now what is booted.
        using LinuxDirectory runtime = OpenRuntime();
        if (runtime.TryStatus(NextRootFile) is not null)
        {
            Changes.Rename(runtime, NextRootFile, "ostree-booted");
        }
    }

    /// <summary>Keeps the shutdown from finalising the staged deployment, or lets it again. False when it was so already.</summary>
    public bool SetFinalizationLocked(bool locked)
    {
        RequireWritable();
        Deployment staged = Staged ?? throw new SysrootException("No staged deployment");
        if (staged.IsFinalizationLocked == locked)
        {
            return false;
        }
        ReplaceStagedValue("locked", Variant.Boolean(locked));
        using LinuxDirectory runtime = OpenRuntime();
        if (locked)
        {
            TouchLock(runtime);
        }
        else
        {
            Changes.TryUnlink(runtime, StagedLockFile);
        }
        Touch();
        Reload();
        return true;
    }

    /// <summary>Takes in an initramfs image to be loaded over the tree's own; the checksum returned goes into <see cref="DeployRequest.OverlayInitrds"/>.</summary>
    public string StageOverlayInitrd(Stream image)
    {
        RequireWritable();
        using LinuxDirectory runtime = OpenRuntime();
        Changes.MakePath(runtime, "ostree/staged-initrds", DirectoryMode);
        using LinuxDirectory directory = runtime.OpenDirectory("ostree/staged-initrds");
        using TemporaryFile copy = directory.CreateTemporaryFile(0x180 /* 0600 */);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[128 * 1024];
        int read;
        while ((read = image.Read(buffer)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            Files.Write(copy.Handle, buffer.AsSpan(0, read));
        }
        string checksum = Convert.ToHexStringLower(hash.GetHashAndReset());
        copy.ReplaceAs(directory, checksum);
        return checksum;
    }

    /// <summary>
    /// Rewrites the kernel command line of one deployment's current entry where it stands, a single file at a time, without a switch: for all deployments alike,
    /// or what shutdown will use for a staged one.
    /// </summary>
    public void SetKernelArgumentsInPlace(Deployment deployment, KernelArguments arguments)
    {
        RequireWritable();
        if (deployment.IsStaged)
        {
            ReplaceStagedValue("kargs", Variant.Strings(arguments.ToList()));
            return;
        }
        deployment.BootEntry.Options = arguments.ToString();
        using LinuxDirectory entries = BootDirectory.OpenDirectory(Invariant($"loader.{BootVersion}/entries"));
        Changes.ReplaceFile(entries, deployment.EntryFileName ?? EntryFileName(deployment, deployments.Count), deployment.BootEntry.Serialize(), sync: true);
    }

    private bool FinalizeStagedNow()
    {
        if (Staged is not { } staged)
        {
            return false;
        }
        if (staged.IsFinalizationLocked || Files.TryStatus(RuntimePath(StagedLockFile)) is not null)
        {
            Tell("Not finalizing; deployment is locked for finalization");
            return false;
        }
        Deployment? merge = null;
        if (ReadStagedState()?.Lookup("merge-deployment") is { Type: "a{sv}" } recorded)
        {
            Deployment described = ParseDescription(recorded);
            merge = deployments.Find(d => !d.IsStaged && d.IsSame(described))
                ?? throw new SysrootException($"Failed to find merge deployment {described.Name} for staged");
        }

        // Gone before the work begins: a merge cut short must not be taken up again by the next shutdown.
        using (LinuxDirectory runtime = OpenRuntime())
        {
            Changes.TryUnlink(runtime, StagedFile);
        }
        Staged = null;
        deployments.RemoveAll(d => d.IsStaged);
        FinalizeDeployment(staged, merge);
        staged.IsStaged = false;
        AddDeployment(staged, merge, clean: false);
        // Room in /boot matters now; the repository can wait for the running system.
        Cleanup(prune: false);
        return true;
    }

    private void DropStaged()
    {
        Deployment staged = Staged!;
        using LinuxDirectory runtime = OpenRuntime();
        Changes.TryUnlink(runtime, StagedFile);
        RemoveDeployment(staged);
        Changes.TryUnlink(runtime, StagedLockFile);
        Staged = null;
        deployments.Remove(staged);
    }

    private Deployment? LoadStaged()
    {
        if (ReadStagedState() is not { } state || state.Lookup("target") is not { Type: "a{sv}" } target)
        {
            return null;
        }
        try
        {
            Deployment staged = ParseDescription(target);
            FileStatus status = Root.Status(staged.Path);
            staged.Device = status.Device;
            staged.Inode = status.Inode;
            staged.IsStaged = true;
            staged.Origin = LoadOrigin(staged);
            staged.IsFinalizationLocked = state.Lookup("locked") is { Type: "b" } locked && locked.AsBoolean();
            if (state.Lookup("kargs") is { Type: "as" } arguments)
            {
                staged.BootEntry.Options = KernelArguments.From(arguments.AsStrings()).ToString();
            }
            if (state.Lookup("overlay-initrds") is { Type: "as" } overlays)
            {
                staged.OverlayInitrds = overlays.AsStrings();
            }
            if (state.Lookup("bootconfig-extra") is { Type: "a{ss}" } extra)
            {
                for (int i = 0; i < extra.Count; i++)
                {
                    staged.BootEntry.Set(extra[i][0].AsString(), extra[i][1].AsString());
                }
            }
            return staged;
        }
        catch (Exception e) when (e is LinuxException or FormatException)
        {
            throw new SysrootException("Loading staged deployment", e);
        }
    }

    private Variant? ReadStagedState() => ReadRuntime(StagedFile) is { } state ? Variant.FromBytes("a{sv}", state) : null;

    private bool IsNamedAsStaged(Deployment deployment) =>
        ReadStagedState()?.Lookup("target") is { Type: "a{sv}" } target && ParseDescription(target).IsSame(deployment);

    private static Deployment ParseDescription(Variant description)
    {
        string key(string name) => description.Lookup(name) is { Type: "s" } value ? value.AsString() : throw new SysrootException($"Missing key: {name}");
        DeploymentName name = DeploymentName.Parse(key("name"));
        return new Deployment(key("osname"), name.Commit, name.Serial, key("bootcsum"), -1);
    }

    private static Variant Describe(Deployment deployment) => Variant.Dictionary(
    [
        new("name", Variant.String(deployment.Name)),
        new("osname", Variant.String(deployment.Stateroot)),
        new("bootcsum", Variant.String(deployment.BootChecksum)),
    ]);

    private static Variant Describe(Deployment deployment, DeployRequest request)
    {
        var state = new List<KeyValuePair<string, Variant>> { new("target", Describe(deployment)) };
        if (request.LockFinalization)
        {
            state.Add(new("locked", Variant.Boolean(true)));
        }
        if (request.Merge is { } merge)
        {
            state.Add(new("merge-deployment", Describe(merge)));
        }
        if (request.KernelArguments is { } arguments)
        {
            state.Add(new("kargs", Variant.Strings(arguments)));
        }
        if (request.OverlayInitrds.Count > 0)
        {
            state.Add(new("overlay-initrds", Variant.Strings(request.OverlayInitrds)));
        }
        // Keys that other programs put into entries would be lost on the way through this file.
        if (request.Merge?.BootEntry is { } entry)
        {
            Variant[] extra = [.. entry.Keys.Where(k => !EntryKeysOfOurs.Contains(k)).Select(k => Variant.DictEntry(Variant.String(k), Variant.String(entry.Get(k)!)))];
            if (extra.Length > 0)
            {
                state.Add(new("bootconfig-extra", Variant.Array("{ss}", extra)));
            }
        }
        return Variant.Dictionary(state);
    }

    private void ReplaceStagedValue(string key, Variant value)
    {
        Variant state = ReadStagedState() ?? throw new SysrootException("No staged deployment");
        var entries = new List<KeyValuePair<string, Variant>>();
        for (int i = 0; i < state.Count; i++)
        {
            if (state[i][0].AsString() != key)
            {
                entries.Add(new(state[i][0].AsString(), state[i][1].AsVariant()));
            }
        }
        entries.Add(new(key, value));
        using LinuxDirectory runtime = OpenRuntime();
        Changes.ReplaceFile(runtime, StagedFile, Variant.Dictionary(entries).Data.Span, sync: false);
    }

    private static void TouchLock(LinuxDirectory runtime)
    {
        FaultPoint.Before($"touch {StagedLockFile}");
        using SafeFileHandle file = runtime.OpenFile(StagedLockFile, OpenFlags.WriteOnly | OpenFlags.Create, 0x1A0 /* 0640 */);
    }

    private static void StartFinalizationUnit()
    {
        try
        {
            RequiredProgram.Run("systemctl", ["start", "--quiet", FinalizationUnit]);
        }
        catch (SysrootException e)
        {
            throw new SysrootException($"Failed to start {FinalizationUnit}", e);
        }
    }
}
