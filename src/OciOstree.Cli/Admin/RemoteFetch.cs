using OciOstree.Repository;

namespace OciOstree.Cli.Admin;

/// <summary>Brings a remote's branch into the sysroot's repository.</summary>
internal static class RemoteFetch
{
    /// <param name="allowOlder">Otherwise a commit older than the branch's last one is refused before the ref moves.</param>
    public static void Run(Sysroot.Sysroot sysroot, string remote, string branch, bool allowOlder) =>
        RemotePull.Run(sysroot.Repo, remote, new RemotePullOptions { Refs = [branch], TimestampCheck = !allowOlder }, Entry.Cancellation);
}
