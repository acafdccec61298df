using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class StaticDeltaApplyCommand
{
    public static Command Create()
    {
        DeltaKeys keys = new();
        return new OstreeVerb("apply-offline", "Apply static delta file", "PATH [KEY-ID...]", "ostree static-delta apply-offline --repo=/srv/repo /mnt/usb/update.delta")
        {
            keys.Type, keys.File, keys.Directory,
        }.Does((OstreeCall call) =>
        {
            Repo repo = call.Repo;
            if (call.Words.Count == 0)
                throw new RepositoryException("PATH must be specified");
            OfflineDelta.Apply(repo, call.Words[0], keys.TryVerifier(call), Entry.Cancellation);
        });
    }
}
