using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// What the merge of <c>/etc</c> into another tree will do, before it is done. Paths are relative to <c>/etc</c>; each is in one list, in the order of discovery.
/// </summary>
public sealed class EtcMergePlan
{
    private readonly List<EtcChoice> choices = [];

    private EtcMergePlan()
    {
    }

    /// <summary>Every path whose fate is not simply to stay what it is in both trees.</summary>
    public IReadOnlyList<EtcChoice> Choices => choices;

    /// <summary>Whether the merge would fail.</summary>
    public bool IsRefused => choices.Exists(choice => choice.Fate == EtcFate.Refused);

    public IEnumerable<string> Paths(EtcFate fate) => choices.Where(choice => choice.Fate == fate).Select(choice => choice.Path);

    /// <summary>Compares without changing anything.</summary>
    /// <param name="baseEtc">The old tree's <c>usr/etc</c>; null where it has none.</param>
    /// <param name="ourEtc">The machine's <c>etc</c>.</param>
    /// <param name="newEtc">The new tree's <c>usr/etc</c>.</param>
    public static EtcMergePlan Make(LinuxDirectory baseEtc, LinuxDirectory ourEtc, LinuxDirectory newEtc)
    {
        EtcDiff local = EtcMerge.Compare(baseEtc, ourEtc);
        EtcDiff upstream = EtcMerge.Compare(baseEtc, newEtc);
        var plan = new EtcMergePlan();
        HashSet<string> leftBehind = [.. local.Unsupported];
        HashSet<string> changedAbove = [.. upstream.Modified, .. upstream.Added, .. upstream.Removed];
        HashSet<string> localDirectories = [.. local.Modified.Concat(local.Added).Where(path => ourEtc.Status(path).IsDirectory)];

        foreach (string path in local.Removed)
        {
            if (EtcMerge.ObstacleAbove(newEtc, path) is not null || newEtc.TryStatus(path) is null)
            {
                continue;
            }
            bool lost = upstream.Modified.Concat(upstream.Added).Any(other => other == path || IsBelow(other, path));
            plan.Add(path, lost ? EtcFate.RemovedConflict : EtcFate.Removed);
        }
        foreach (string path in local.Modified.Concat(local.Added))
        {
            EtcFate? fate = FateOf(path, ourEtc, newEtc, localDirectories, IsChangedAbove(path));
            plan.Add(path, fate != EtcFate.Refused && leftBehind.Contains(path) ? EtcFate.LeftBehind : fate);
        }

        // What the new tree brings, where the machine has said nothing.
        HashSet<string> ours = [.. local.Modified, .. local.Added, .. local.Removed];
        foreach ((IReadOnlyList<string> paths, EtcFate fate) in new[] { (upstream.Modified, EtcFate.Replaced), (upstream.Added, EtcFate.New), (upstream.Removed, EtcFate.Gone) })
        {
            foreach (string path in paths)
            {
                if (!ours.Contains(path) && !local.Removed.Any(removed => IsBelow(path, removed)) && !(fate == EtcFate.Gone && ours.Any(other => IsBelow(other, path))))
                {
                    plan.Add(path, fate);
                }
            }
        }
        return plan;

        bool IsChangedAbove(string path) => changedAbove.Contains(path) || upstream.Removed.Any(removed => IsBelow(path, removed));
    }

    private static EtcFate? FateOf(string path, LinuxDirectory ourEtc, LinuxDirectory newEtc, HashSet<string> localDirectories, bool isChangedAbove)
    {
        FileStatus ours = ourEtc.Status(path);
        // A directory that was itself added or changed here replaces what stands in its place; another one does not.
        if (EtcMerge.ObstacleAbove(newEtc, path) is { } obstacle)
        {
            return localDirectories.Contains(obstacle) ? EtcFate.Conflict : EtcFate.Refused;
        }
        FileStatus? theirs = newEtc.TryStatus(path);
        if (theirs is { IsDirectory: true } && !ours.IsDirectory)
        {
            return EtcFate.Refused;
        }
        if (theirs is { } there && EtcMerge.IsSame(ourEtc, ours, newEtc, there, path))
        {
            return null;
        }
        return isChangedAbove ? EtcFate.Conflict : EtcFate.Kept;
    }

    private static bool IsBelow(string path, string directory) => path.Length > directory.Length && path[directory.Length] == '/' && path.StartsWith(directory, StringComparison.Ordinal);

    private void Add(string path, EtcFate? fate)
    {
        if (fate is { } known)
        {
            choices.Add(new EtcChoice(path, known));
        }
    }
}
