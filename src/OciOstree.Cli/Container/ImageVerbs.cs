using System.CommandLine;

namespace OciOstree.Cli.Container;

/// <summary>The words of <c>ostree container image</c>: whole images, layers and all.</summary>
internal static class ImageVerbs
{
    public static Command Group() => new("image", "Commands for container images")
    {
        CopyCommand.Create(),
    };
}
