using System.CommandLine;
using OciOstree.Cli.Ostree;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

internal static class SetOriginCommand
{
    public static Command Create()
    {
        var remote = Opts.Optional("REMOTENAME", "The remote's name");
        var url = Opts.Optional("URL", "Where it is");
        var branch = Opts.Optional("BRANCH", "The branch to follow; the origin's if not given");
        var set = Opts.Many("--set", "KEY=VALUE", "Set config option KEY=VALUE for remote", "-s");
        var index = Opts.Number("--index", "INDEX", "Operate on the deployment INDEX, starting from zero");
        return new Verb("set-origin", "Set Origin and create a new origin file", "ostree admin set-origin --index=0 debian file:///srv/repo debian/stable")
        {
            remote, url, branch, set, index,
        }.Takes("REMOTENAME URL [BRANCH]").ChangesSysroot((sysroot, parsed) =>
        {
            if (parsed.GetValue(remote) is not { } name || parsed.GetValue(url) is not { } location)
            {
                throw new UsageException("REMOTENAME and URL must be specified", withHelp: true);
            }

            var target = parsed.GetValue(index) is { } at and not -1 ? sysroot.DeploymentAt((int)Math.Clamp(at, -2, int.MaxValue)) : AdminSysroot.Booted(sysroot);
            AddRemote(sysroot, name, location, parsed.GetValue(set)!);
            var followed = parsed.GetValue(branch)
                ?? (target.Origin?.Refspec is { } refspec ? RefSpec.Parse(refspec).Name : throw new SysrootException("No host refspec found, branch is required"));
            sysroot.WriteOrigin(target, Origin.FromRefspec($"{name}:{followed}"));
        });
    }

    /// <summary>A remote that is there already stays as it is.</summary>
    private static void AddRemote(Sysroot.Sysroot sysroot, string name, string url, string[] settings)
    {
        RefName.ValidateRemote(name);
        foreach (var setting in settings)
        {
            if (!setting.Contains('='))
            {
                throw new SysrootException("Missing '=' in KEY=VALUE for --set");
            }
        }

        var store = new RemoteStore(sysroot.Repo, sysroot.IsBooted ? "/" : null);
        if (store.Contains(name))
        {
            return;
        }

        store.Write(name, config =>
        {
            var section = RemoteStore.Section(name);
            const string metalink = "metalink=";
            config.SetString(section, url.StartsWith(metalink, StringComparison.Ordinal) ? "metalink" : "url", url.StartsWith(metalink, StringComparison.Ordinal) ? url[metalink.Length..] : url);
            foreach (var setting in settings)
            {
                var equals = setting.IndexOf('=');
                config.SetString(section, setting[..equals], setting[(equals + 1)..]);
            }
        });
    }
}
