using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary>Brings a remote's branch into the sysroot's repository.</summary>
internal static class RemoteFetch
{
    public static void Run(Sysroot.Sysroot sysroot, string remote, string branch)
    {
        var url = sysroot.Repo.Config.GetString($"remote \"{remote}\"", "url") ?? throw new SysrootException($"Remote \"{remote}\" not found");
        if (!url.StartsWith("file://", StringComparison.Ordinal))
        {
            throw new SysrootException($"Remote \"{remote}\" is at {url}: only file:// remotes can be pulled from");
        }

        using var source = Repo.Open(new Uri(url).LocalPath);
        using var transaction = sysroot.Repo.BeginTransaction();
        foreach (var name in source.ListObjects())
        {
            transaction.ImportObject(source, name, verify: false);
        }

        transaction.SetRef($"{remote}:{branch}", source.ResolveRequired(branch));
        transaction.Commit();
    }
}
