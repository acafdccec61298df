using System.Globalization;
using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary>What is known of a deployment: where it stands in the boot order, and the image in it.</summary>
internal sealed class MachineStatus
{
    private MachineStatus(Sysroot.Sysroot sysroot, Deployment deployment)
    {
        Deployment = deployment;
        var (pending, rollback) = sysroot.Booted is { } booted ? sysroot.QueryDeployments(booted.Stateroot) : default;
        IsBooted = deployment.IsSame(sysroot.Booted);
        IsPending = !deployment.IsStaged && deployment.IsSame(pending);
        IsRollback = deployment.IsSame(rollback);
        IsDefault = deployment.IsSame(sysroot.Deployments[0]);
        Image = ImageIn(sysroot, deployment.Commit);
        Version = Image?.Version ?? sysroot.VersionOf(deployment.Commit);
        if (sysroot.Repo.HasObject(new ObjectName(deployment.Commit, ObjectType.Commit)))
        {
            Created = DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(sysroot.Repo.ReadCommit(deployment.Commit).Timestamp, 253402300799));
        }
    }

    public Deployment Deployment { get; }

    public bool IsBooted { get; }

    public bool IsPending { get; }

    public bool IsRollback { get; }

    public bool IsDefault { get; }

    /// <summary>Null for a deployment of a plain commit.</summary>
    public ImportedImage? Image { get; }

    /// <summary>What the last look for an update found, unless some deployment has it by now.</summary>
    public CachedUpdate? Update { get; private set; }

    public string? Version { get; }

    /// <summary>How many of the image's layers, and of their compressed bytes, the running system has too (where none runs: the first deployment); null if either is no image.</summary>
    public (int Layers, long Bytes)? Shared { get; private set; }

    public DateTimeOffset? Created { get; }

    /// <summary>Its part in the boot order in a word, or nothing.</summary>
    public string Place =>
        IsBooted ? "booted"
        : Deployment.IsStaged ? Deployment.IsFinalizationLocked ? "staged, locked" : "staged"
        : IsPending ? "pending"
        : IsRollback ? "rollback"
        : "";

    public static List<MachineStatus> All(Sysroot.Sysroot sysroot)
    {
        List<MachineStatus> all = [.. sysroot.Deployments.Select(deployment => new MachineStatus(sysroot, deployment))];
        var compared = all.Find(status => status.IsBooted) ?? all.FirstOrDefault();
        HashSet<Digest> present = [.. compared?.Image?.Manifest.Layers.Select(layer => layer.Digest) ?? []];
        foreach (var status in all)
        {
            if (status.Image is { } image && compared?.Image is not null && !ReferenceEquals(status, compared))
            {
                var shared = image.Manifest.Layers.Where(layer => present.Contains(layer.Digest)).ToList();
                status.Shared = (shared.Count, shared.Sum(layer => layer.Size));
            }

            if (status.Image?.CachedUpdate is { } update && !all.Exists(other => other.Image?.ManifestDigest == update.ManifestDigest))
            {
                status.Update = update;
            }
        }

        return all;
    }

    /// <summary>A deployment as a sentence names it.</summary>
    public static string Name(Sysroot.Sysroot sysroot, Deployment deployment)
    {
        var what = deployment.Origin?.ContainerImageReference ?? deployment.Origin?.Refspec ?? deployment.Commit.ToString();
        var version = VersionOf(sysroot, deployment.Commit);
        return version is null ? what : $"{what} (version {version})";
    }

    /// <summary>The version that the image says it is, else the commit.</summary>
    public static string? VersionOf(Sysroot.Sysroot sysroot, Checksum commit) => ImageIn(sysroot, commit)?.Version ?? sysroot.VersionOf(commit);

    /// <summary>A time as status shows it, UTC.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>An image reference of an origin file, null if it is none that we know.</summary>
    public static OstreeImageReference? TryParse(string reference)
    {
        try
        {
            return OstreeImageReference.Parse(reference);
        }
        catch (Exception e) when (e is ContainerException or Registry.RegistryException)
        {
            return null;
        }
    }

    public static ImportedImage? ImageIn(Sysroot.Sysroot sysroot, Checksum commit) =>
        sysroot.Repo.HasObject(new ObjectName(commit, ObjectType.Commit)) ? new ImageStore(sysroot.Repo).QueryCommit(commit) : null;
}
