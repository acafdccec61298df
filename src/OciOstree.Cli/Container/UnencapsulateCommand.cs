using System.CommandLine;
using OciOstree.Container;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container unencapsulate</c>: the commit inside an image, without the image.</summary>
internal static class UnencapsulateCommand
{
    public static Command Create()
    {
        var imgref = Opts.Required("IMGREF", "Image reference, e.g. ostree-unverified-registry:quay.io/exampleos/exampleos:latest");
        var writeRef = Opts.Value("--write-ref", "REF", "Create an ostree ref pointing to the imported commit");
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print the commit as JSON");
        var verb = new Verb(
            "unencapsulate",
            "Import an ostree commit embedded in a remote container image",
            "oci-ostree container unencapsulate --repo=repo --write-ref=os/stable ostree-unverified-registry:quay.io/example/os:stable")
        {
            imgref, writeRef, quiet, json,
        };
        verb.Aliases.Add("import");
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            var reference = OstreeImageReference.Parse(parsed.GetValue(imgref)!);
            using var repo = StoreCommands.OpenRepo(parsed);
            using var importer = new ImageImporter(repo, reference, new ImportOptions { Registry = images.Read(parsed) });
            var commit = TransferBars.Run(progress => importer.Unencapsulate(progress, Entry.Cancellation), parsed.GetValue(quiet));
            var name = parsed.GetValue(writeRef);
            if (name is not null)
            {
                using var transaction = repo.BeginTransaction();
                transaction.SetRef(name, commit);
                transaction.Commit();
            }

            if (parsed.GetValue(json))
            {
                Output.Json(new ImportedCommit(commit.ToString(), name), ImageJsonContext.Default.ImportedCommit);
            }
            else
            {
                Console.Out.WriteLine(name is null ? $"Imported: {commit}" : $"Imported: {name} => {commit}");
            }
        });
    }
}
