using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class CatCommand
{
    public static Command Create() =>
        new OstreeVerb("cat", "Concatenate contents of files", "COMMIT PATH...", "ostree cat --repo=/srv/repo main /etc/os-release").Does((OstreeCall call) =>
        {
            call.Need(2, "A COMMIT and at least one PATH argument are required");
            var tree = new RepoTree(call.Repo, call.Repo.ResolveRequired(call.Words[0]));
            using Stream output = Console.OpenStandardOutput();
            foreach (string path in call.Words.Skip(1))
            {
                RepoNode node = tree.ResolveFile(path);
                if (node.IsDirectory)
                    throw new RepositoryException("Can't open directory");
                using RepoFile file = call.Repo.OpenFile(node.Content);
                file.Content.CopyTo(output);
            }
        });
}
