using System.CommandLine;
using OciOstree.Container;
using OciOstree.Linux;

namespace OciOstree.Cli.Container;

/// <summary><c>container commit</c>: the last step of a Containerfile on an ostree image.</summary>
internal static class CommitCommand
{
    public static Command Create()
    {
        var noLint = Opts.Flag("--no-lint", "Only clean");
        var verb = new Verb(
            "commit",
            "In a build: remove what no machine gets from /run, /tmp, /var/tmp and /var/cache, and warn about the rest",
            "RUN apt-get install -y htop && oci-ostree container commit")
        {
            noLint,
        };
        return verb.Does(parsed =>
        {
            if (!ContainerCommit.IsInOstreeContainer())
            {
                throw new ContainerException("Not in an ostree-based container environment");
            }

            using (var root = LinuxDirectory.Open("/"))
            {
                ContainerCommit.Clean(root);
            }

            if (parsed.GetValue(noLint))
            {
                return;
            }

            // What it finds is for whoever reads the build's log; container lint is there to fail a build.
            using var tree = RootTree.FromDirectory("/");
            LintText.Write(Console.Error, Lints.Run(tree, running: true), all: false);
        });
    }
}
