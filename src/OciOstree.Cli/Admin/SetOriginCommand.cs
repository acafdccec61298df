using System.CommandLine;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

internal static class SetOriginCommand
{
    public static Command Create()
    {
        var remote = Opts.Required("REMOTENAME", "The remote's name");
        var url = Opts.Required("URL", "Where it is");
        var branch = Opts.Optional("BRANCH", "The branch to follow; the origin's if not given");
        var set = Opts.Many("--set", "KEY=VALUE", "Set config option KEY=VALUE for remote", "-s");
        var index = Opts.Number("--index", "INDEX", "Operate on the deployment INDEX, starting from zero");
        return new Verb("set-origin", "Set Origin and create a new origin file", "ostree admin set-origin --index=0 debian file:///srv/repo debian/stable")
        {
            remote, url, branch, set, index,
        }.ChangesSysroot((sysroot, parsed) =>
        {
            var target = parsed.GetValue(index) is { } at and not -1 ? sysroot.DeploymentAt((int)Math.Clamp(at, -2, int.MaxValue)) : AdminSysroot.Booted(sysroot);
            var name = parsed.GetValue(remote)!;
            AddRemote(sysroot.Repo, name, parsed.GetValue(url)!, parsed.GetValue(set)!);
            var followed = parsed.GetValue(branch)
                ?? (target.Origin?.Refspec is { } refspec ? RefSpec.Parse(refspec).Name : throw new SysrootException("No host refspec found, branch is required"));
            sysroot.WriteOrigin(target, Origin.FromRefspec($"{name}:{followed}"));
        });
    }

    /// <summary>A remote that is there already stays as it is.</summary>
    private static void AddRemote(Repo repo, string name, string url, string[] settings)
    {
        var group = $"remote \"{name}\"";
        var config = OciOstree.Formats.Keyfile.KeyFile.Parse(repo.Config.Serialize());
        if (config.Groups.Contains(group))
        {
            return;
        }

        config.SetString(group, "url", url);
        foreach (var setting in settings)
        {
            var equals = setting.IndexOf('=');
            if (equals < 0)
            {
                throw new UsageException($"Missing '=' in KEY=VALUE for --set: {setting}");
            }

            config.SetString(group, setting[..equals], setting[(equals + 1)..]);
        }

        repo.WriteConfig(config);
    }
}
