using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>The SELinux labels that <c>commit</c> gives: by the policy of a directory, or of what is committed first.</summary>
internal sealed class CommitLabels : IDisposable
{
    public static readonly Option<string?> Policy = Opts.Value("--selinux-policy", "PATH", "Set SELinux labels based on policy in root filesystem PATH (may be /)");
    public static readonly Option<bool> FromBase = Opts.Flag("--selinux-policy-from-base", "Set SELinux labels based on first --tree argument", "-P");
    public static readonly Option<long?> Epoch = Opts.Number("--selinux-labeling-epoch", "EPOCH",
        "Configure the default SELinux labeling rules; 0 is the default, 1 enables labeling /usr/etc as /etc");

    private readonly OstreeCall call;
    private readonly CommitModifier modifier;
    private bool waitsForFirstTree;
    private SePolicy? policy;

    public CommitLabels(OstreeCall call, CommitModifier modifier)
    {
        (this.call, this.modifier) = (call, modifier);
        if (call.Get(Policy) is { } path)
        {
            using LinuxDirectory root = OpenRoot(path);
            Use(SePolicy.Load(root));
        }
        else if (call.Get(FromBase))
        {
            waitsForFirstTree = true;
        }
    }

    /// <summary>Whether labels are asked for, so that a commit does not take objects as they are.</summary>
    public static bool Wanted(OstreeCall call) => call.Get(Policy) is not null || call.Get(FromBase) || call.Get(Epoch) == 1;

    /// <summary>Refuses options that cannot go together.</summary>
    public static void Check(OstreeCall call)
    {
        if (call.Get(Policy) is not null && call.Get(FromBase))
            throw new RepositoryException("Cannot specify both --selinux-policy and --selinux-policy-from-base");
        if (call.Get(Epoch) is not (null or 0 or 1))
            throw new RepositoryException($"Unknown SELinux labeling epoch: {call.Get(Epoch)}");
    }

    /// <summary>The commit begins with that of <c>--base</c>, whose policy it takes.</summary>
    public void TakeFromCommit(Checksum commit)
    {
        if (!waitsForFirstTree)
            return;
        waitsForFirstTree = false;
        Use(SePolicy.Load(call.Repo, commit));
    }

    /// <summary>A tree is about to be added; if it is the first, it has the policy.</summary>
    public void TakeFromTree(string type, string source)
    {
        if (!waitsForFirstTree)
            return;
        switch (type)
        {
            case "dir":
                using (LinuxDirectory root = OpenRoot(source))
                    Use(SePolicy.Load(root));
                break;
            case "ref":
                Use(SePolicy.Load(call.Repo, call.Repo.ResolveRequired(source)));
                break;
            case "tar":
                throw new RepositoryException("Cannot use --selinux-policy-from-base with tar");
        }
        waitsForFirstTree = false;
    }

    public void Dispose() => policy?.Dispose();

    private void Use(SePolicy? found)
    {
        policy = found;
        // ostree lets the checksums cover labels that such a repository cannot keep, and its own fsck then finds every file corrupt.
        if (found is not null && call.Repo.Mode == RepoMode.BareUserOnly)
            throw new RepositoryException("A bare-user-only repository cannot hold SELinux labels");
        modifier.Labeler = found is null ? null : call.Get(Epoch) == 1 ? found.LabelDefaultsAsEtc : found.Label;
    }

    private static LinuxDirectory OpenRoot(string path)
    {
        try
        {
            return LinuxDirectory.Open(path);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"opendir({path}): {ErrorText.Of(e)}");
        }
    }
}
