using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class StaticDeltaVerifyCommand
{
    public static Command Create()
    {
        DeltaKeys keys = new();
        return new OstreeVerb("verify", "Verify static delta signatures", "STATIC-DELTA-FILE [KEY-ID...]", "ostree static-delta verify --repo=/srv/repo FROM-TO PUBLIC-KEY")
        {
            keys.Type, keys.File, keys.Directory,
        }.Does((OstreeCall call) =>
        {
            Repo repo = call.Repo;
            string delta = StaticDeltaCommand.Delta(call);
            Verifier verifier = keys.Verifier(call);
            try
            {
                using var file = delta.Contains('/') ? Files.Open(delta) : repo.Root.OpenFile(DeltaName.Parse(delta).Superblock);
                using MappedFile bytes = new(file, delta);
                DeltaSuperblock.Parse(bytes.Memory).Verify(verifier);
            }
            catch (RepositoryException)
            {
                call.Print("Verification fails");
                throw;
            }
            call.Print("Verification OK");
        });
    }
}
