using System.CommandLine;

namespace OciOstree.Cli.Container;

/// <summary><c>--no-selinux</c>, of every verb that imports an image.</summary>
internal static class LabelOption
{
    public static Option<bool> Create() => Opts.Flag(
        "--no-selinux", "Do without SELinux labels where the image has a policy, for a system that relabels itself; oci-ostree.selinux=false in the repository's config does so always");
}
