using System.CommandLine;

namespace OciOstree.Cli.Admin;

/// <summary><c>admin post-copy</c>: gives back what copying a sysroot by files has lost.</summary>
internal static class PostCopyCommand
{
    public static Command Create() =>
        new Verb("post-copy", "Update the repo and deployments as needed after a copy", "ostree admin post-copy --sysroot=/mnt").ChangesSysroot((sysroot, _) => sysroot.UpdateAfterCopy(Entry.Cancellation));
}
