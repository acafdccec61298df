using System.Text;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary>Who signed what a deployment is made of, as the remote that it came from wants it.</summary>
internal static class DeploymentSignatures
{
    /// <summary>Prints the OpenPGP signatures where the remote wants some. A commit without any is not worth a word here: the pull has let it in.</summary>
    public static void Print(Repo repo, Deployment deployment)
    {
        if (RemoteOf(repo, deployment) is not { VerifiesCommits: true } remote || !repo.HasObject(new ObjectName(deployment.Commit, ObjectType.Commit))
            || CommitSignatures.Inspect(repo, deployment.Commit, GpgKeyring.Of(repo, remote)) is not { } signatures)
        {
            return;
        }

        var text = new StringBuilder();
        foreach (var signature in signatures)
        {
            signature.Describe(text, "    GPG: ");
        }

        Console.Out.Write(text);
    }

    /// <summary>Prints who signed, and fails where nobody did whom the remote trusts.</summary>
    public static void Verify(Repo repo, Deployment deployment)
    {
        if (deployment.Origin?.Refspec is null)
        {
            throw new SysrootException("No origin/refspec, cannot verify");
        }

        var remote = RemoteOf(repo, deployment) ?? throw new SysrootException("Cannot verify deployment without remote");
        var bytes = repo.ReadMetadata(new ObjectName(deployment.Commit, ObjectType.Commit));
        Console.Out.WriteLine(RemoteSignatures.Of(repo, remote).DescribeCommit(bytes.Span, repo.ReadCommitMeta(deployment.Commit)));
    }

    private static Remote? RemoteOf(Repo repo, Deployment deployment)
    {
        if (deployment.Origin?.Refspec is not { } refspec || RefSpec.Parse(refspec).Remote is not { } name)
        {
            return null;
        }

        return Remote.All(repo).FirstOrDefault(remote => remote.Name == name);
    }
}
