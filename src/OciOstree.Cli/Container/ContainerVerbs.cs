using System.CommandLine;

namespace OciOstree.Cli.Container;

/// <summary>The words of <c>ostree container</c>: commits as images and images as commits.</summary>
internal static class ContainerVerbs
{
    public static Command Group()
    {
        var group = new Verb("container", "Commands for ostree commits in container images", "oci-ostree container encapsulate --repo=repo os docker://quay.io/example/os:latest");
        AddTo(group);
        return group;
    }

    /// <summary>The words that ostree-ext has beside <c>container</c>.</summary>
    public static void AddOthersTo(Command root)
    {
        root.Add(TarVerbs.Group());
        root.Add(ImaSignCommand.Create());
        root.Add(RepairVerbs.Group());
    }

    public static void AddTo(Command group)
    {
        group.Add(EncapsulateCommand.Create());
        group.Add(UnencapsulateCommand.Create());
        group.Add(InfoCommand.Create());
        group.Add(CompareCommand.Create());
        group.Add(CommitCommand.Create());
        group.Add(LintCommand.Create());
        group.Add(ImageVerbs.Group());
    }
}
