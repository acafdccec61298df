using System.Globalization;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>
/// Follows the branch that a stateroot's origin names: finds its newest commit and deploys it when it is another than the one there.
/// </summary>
public sealed class BranchUpgrade
{
    private readonly Sysroot sysroot;
    private readonly string stateroot;

    /// <param name="sysroot">Opened for changes.</param>
    /// <param name="stateroot">Whose merge deployment is to be followed.</param>
    /// <param name="evenUnconfigured">Goes on though the origin says that the administrator has to configure something first.</param>
    public BranchUpgrade(Sysroot sysroot, string stateroot, bool evenUnconfigured = false)
    {
        this.sysroot = sysroot;
        this.stateroot = stateroot;
        Current = sysroot.MergeDeployment(stateroot) ?? throw new SysrootException($"No previous deployment for OS '{stateroot}'");
        Origin = Current.Origin?.Clone() ?? throw new SysrootException($"No origin known for deployment {Current.Commit}.{Current.Serial}");
        if (!evenUnconfigured && Origin.UnconfiguredState is { } state)
        {
            throw new SysrootException($"origin unconfigured-state: {state}");
        }
        if (Origin.Refspec is null)
        {
            throw new SysrootException("No origin/refspec in current deployment origin; cannot upgrade via ostree");
        }
    }

    /// <summary>What the new deployment continues.</summary>
    public Deployment Current { get; }

    /// <summary>What the new deployment will be said to come from; to be changed before <see cref="Find"/>.</summary>
    public Origin Origin { get; set; }

    /// <summary>What to deploy, once found.</summary>
    public Checksum? Target { get; private set; }

    private RefSpec Branch => RefSpec.Parse(Origin.Refspec!);

    /// <summary>Finds the commit to go to. Returns whether it is another than the current one.</summary>
    /// <param name="fetch">Brings a remote's branch or commit into the repository; null takes the repository as it is.</param>
    /// <param name="allowOlder">Lets the new commit be older than the current one.</param>
    public bool Find(Action<string, string>? fetch, bool allowOlder)
    {
        RefSpec branch = Branch;
        string? overriding = Origin.OverrideCommit;
        if (branch.Remote is not null)
        {
            fetch?.Invoke(branch.Remote, overriding ?? branch.Name);
        }
        if (overriding is null)
        {
            Checksum tip = sysroot.Repo.ResolveRequired(Origin.Refspec!);
            // A branch at its end of life may name the one that goes on.
            if (sysroot.Repo.ReadCommit(tip).Metadata.Lookup("ostree.endoflife-rebase") is { Type: "s" } rebase)
            {
                string next = rebase.AsString();
                if (branch.Remote is not null)
                {
                    fetch?.Invoke(branch.Remote, next);
                }
                Origin.Refspec = branch.Remote is null ? next : $"{branch.Remote}:{next}";
                tip = sysroot.Repo.ResolveRequired(Origin.Refspec);
            }
            Target = tip;
        }
        else
        {
            Target = Checksum.TryParse(overriding, out Checksum commit) ? commit : throw new SysrootException($"Invalid override-commit '{overriding}'");
            using RepoTransaction transaction = sysroot.Repo.BeginTransaction();
            transaction.SetRef(Origin.Refspec!, Target);
            transaction.Commit();
        }
        if (Target == Current.Commit)
        {
            return false;
        }
        if (!allowOlder)
        {
            RequireNotOlder(Current.Commit, Target.Value);
        }
        return true;
    }

    /// <summary>Deploys what was found, as the new default or for the shutdown to finalise.</summary>
    /// <param name="stage">Leaves the rest to the shutdown.</param>
    /// <param name="kexec">Loads the new deployment's kernel to be started by kexec.</param>
    public Deployment Deploy(bool stage, bool kexec = false)
    {
        var request = new DeployRequest
        {
            Stateroot = stateroot,
            Commit = Target ?? throw new InvalidOperationException("Nothing was found to deploy"),
            Origin = Origin,
            Merge = Current,
        };
        if (stage)
        {
            return sysroot.Stage(request);
        }
        Deployment deployed = sysroot.Deploy(request);
        sysroot.AddDeployment(deployed, Current);
        if (kexec)
        {
            sysroot.LoadKexec(deployed);
        }
        return deployed;
    }

    private void RequireNotOlder(Checksum from, Checksum to)
    {
        ulong before = sysroot.Repo.ReadCommit(from).Timestamp;
        ulong after = sysroot.Repo.ReadCommit(to).Timestamp;
        if (after < before)
        {
            throw new SysrootException($"Upgrade target revision '{to}' with timestamp '{Date(after)}' is chronologically older than current revision '{from}' with timestamp '{Date(before)}'; use --allow-downgrade to permit");
        }
    }

    private static string Date(ulong timestamp) =>
        timestamp > long.MaxValue / 1000 ? timestamp.ToString(CultureInfo.InvariantCulture)
        : DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(timestamp, 253402300799)).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
