using System.Globalization;

namespace OciOstree.Repository;

/// <summary>What is asked of each commit that a pull brings, apart from signatures: that it is bound to where it was found, and that it is not older than what it replaces.</summary>
/// <param name="collection">The collection that the source says it serves, null if it says nothing.</param>
/// <param name="ignoreBindings">Whether bindings are not looked at.</param>
/// <param name="notBefore">A commit of the destination that none may be older than.</param>
/// <param name="replaced">What a ref points at in the destination now; null if that does not matter.</param>
internal sealed class CommitChecks(Repo destination, string? collection, bool ignoreBindings, Checksum? notBefore = null, Func<PullTarget, Checksum?>? replaced = null)
{
    /// <param name="target">What was asked for; null for an ancestor of that.</param>
    /// <exception cref="RepositoryException">The commit may not come in.</exception>
    public void Check(Checksum checksum, Commit commit, PullTarget? target)
    {
        if (!ignoreBindings)
            Bindings.Verify(checksum, commit, collection, target?.Ref);
        if (notBefore is { } bound)
            CompareTimes(bound, checksum, commit);
        if (target?.Ref is not null && replaced?.Invoke(target) is { } current)
            CompareTimes(current, checksum, commit);
    }

    private void CompareTimes(Checksum current, Checksum checksum, Commit commit)
    {
        if (current == checksum)
            return;
        ulong known = destination.ReadCommit(current).Timestamp;
        if (commit.Timestamp < known)
            throw new RepositoryException($"Upgrade target revision '{checksum}' with timestamp '{Date(commit.Timestamp)}' is chronologically older than current revision '{current}' with timestamp '{Date(known)}'");

        static string Date(ulong seconds) => DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(seconds, 253402300799)).ToString("ddd MMM dd HH:mm:ss yyyy", CultureInfo.InvariantCulture);
    }
}
