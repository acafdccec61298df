using System.CommandLine;

namespace OciOstree.Cli.Container;

/// <summary>The words of <c>ostree container image</c>: whole images, layers and all.</summary>
internal static class ImageVerbs
{
    public static Command Group()
    {
        var group = new Verb("image", "Commands for container images", "oci-ostree container image list --repo=/ostree/repo")
        {
            PullCommand.Create(),
            ImageDeployCommand.Create(),
            CopyCommand.Create(),
        };
        StoreCommands.AddTo(group);
        ReexportCommands.AddTo(group);
        group.Add(ReplaceDetachedMetadataCommand.Create());
        group.Add(PruneImagesCommand.Create());
        return group;
    }
}
