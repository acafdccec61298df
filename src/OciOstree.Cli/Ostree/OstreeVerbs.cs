using System.CommandLine;

namespace OciOstree.Cli.Ostree;

/// <summary>The words of <c>ostree</c> for repositories.</summary>
internal static class OstreeVerbs
{
    public static void AddTo(Command root)
    {
        root.Add(CatCommand.Create());
        root.Add(CheckoutCommand.Create());
        root.Add(ChecksumCommand.Create());
        root.Add(CommitCommand.Create());
        root.Add(ConfigCommand.Create());
        root.Add(CreateUsbCommand.Create());
        root.Add(DiffCommand.Create());
        root.Add(ExportCommand.Create());
        root.Add(FindRemotesCommand.Create());
        root.Add(FsckCommand.Create());
        root.Add(GpgSignCommand.Create());
        root.Add(InitCommand.Create());
        root.Add(LogCommand.Create());
        root.Add(LsCommand.Create());
        root.Add(PruneCommand.Create());
        root.Add(PullLocalCommand.Create());
        root.Add(PullCommand.Create());
        root.Add(RefsCommand.Create());
        root.Add(RemoteCommand.Create());
        root.Add(ResetCommand.Create());
        root.Add(RevParseCommand.Create());
        root.Add(ShowCommand.Create());
        root.Add(SignCommand.Create());
        root.Add(StaticDeltaCommand.Create());
        root.Add(SummaryCommand.Create());
    }
}
