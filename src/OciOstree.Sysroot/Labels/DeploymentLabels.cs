using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>
/// The labels that a deployment's SELinux policy gives to what is made for it: <c>/etc</c>, <c>/var</c>, files in <c>/boot</c>. They are set whether or not this
/// machine's kernel uses them: what is installed from elsewhere, too, boots with labels.
/// </summary>
internal sealed class DeploymentLabels : IDisposable
{
    private readonly SePolicy? policy;

    private DeploymentLabels(SePolicy? policy, bool isWithheld)
    {
        this.policy = policy;
        IsWithheld = isWithheld;
    }

    /// <summary>For trees without a policy.</summary>
    public static DeploymentLabels None { get; } = new(null, isWithheld: false);

    /// <summary>For a policy that is not applied.</summary>
    public static DeploymentLabels Withheld { get; } = new(null, isWithheld: true);

    /// <summary>There is a policy, but nothing gets labels.</summary>
    public bool IsWithheld { get; }

    public bool HasPolicy => policy is not null;

    /// <summary>What a checkout labels by; null where there is nothing to label.</summary>
    public Func<string, uint, string?>? Labeler => policy is null ? null : policy.Label;

    public static DeploymentLabels By(SePolicy policy) => new(policy, isWithheld: false);

    /// <summary>The attribute that a file with this <c>st_mode</c> has at a path; null for none.</summary>
    public Xattr? Of(string path, uint mode) =>
        policy?.Label(path, mode) is { } label ? new Xattr([.. "security.selinux"u8], [.. FileName.ToBytes(label), 0]) : null;

    /// <summary>Labels what is there under a name as what is to be at a path. Where the file system can have no labels it stays as it is.</summary>
    /// <returns>The label that it was given; null if it has it already or gets none.</returns>
    public string? Set(LinuxDirectory directory, string name, string path, bool onlyUnlabelled = false)
    {
        if (policy is null || (onlyUnlabelled && Xattrs.Get(directory, name, "security.selinux"u8) is not null))
        {
            return null;
        }
        if (Of(path, directory.Status(name).Mode) is not { } label || Xattrs.Get(directory, name, label.Name) is { } now && now.AsSpan().TrimEnd((byte)0).SequenceEqual(label.Value.AsSpan(..^1)))
        {
            return null;
        }
        FaultPoint.Before($"label {name}");
        if (Xattrs.TrySet(directory, name, label.Name, label.Value, out Errno errno))
        {
            return FileName.FromBytes(label.Value.AsSpan(..^1));
        }
        return errno == Errno.EOPNOTSUPP ? null : throw new LinuxException(errno, "label", directory.PathOf(name));
    }

    /// <summary>Labels a directory and all that is in it as what is to be at a path.</summary>
    public void SetTree(LinuxDirectory directory, string path, LabelScope scope)
    {
        if (policy is null)
        {
            return;
        }
        ulong device = directory.Status().Device;
        SetOne(directory, ".", path, scope);
        foreach (DirectoryEntry entry in directory.ReadEntries())
        {
            string child = $"{path.TrimEnd('/')}/{entry.Name}";
            // A running system's files come and go.
            if (child == scope.Except || directory.TryStatus(entry.Name) is not { } status || (!scope.AcrossMounts && status.Device != device))
            {
                continue;
            }
            if (status.IsDirectory)
            {
                using LinuxDirectory? opened = directory.TryOpenDirectory(entry.Name);
                if (opened is not null)
                {
                    SetTree(opened, child, scope);
                }
            }
            else if (!scope.SpareShared || status.LinkCount == 1)
            {
                SetOne(directory, entry.Name, child, scope);
            }
        }
    }

    private void SetOne(LinuxDirectory directory, string name, string path, LabelScope scope)
    {
        if (Set(directory, name, path, scope.OnlyUnlabelled) is { } label)
        {
            scope.Told?.Invoke(name == "." ? directory.Path : directory.PathOf(name), path, label);
        }
    }

    public void Dispose() => policy?.Dispose();
}
