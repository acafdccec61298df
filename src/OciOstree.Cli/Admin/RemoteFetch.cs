using OciOstree.Repository;

namespace OciOstree.Cli.Admin;

/// <summary>Brings a remote's branch into the sysroot's repository.</summary>
internal static class RemoteFetch
{
    public static void Run(Sysroot.Sysroot sysroot, string remote, string branch) =>
        RemotePull.Run(sysroot.Repo, remote, new RemotePullOptions { Refs = [branch] }, Entry.Cancellation);
}
