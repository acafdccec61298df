using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>instutil selinux-ensure-labeled</c>: labels what an installer has put into the first deployment, by its policy; labels that are there stay.</summary>
internal static class EnsureLabeledCommand
{
    public static Command Create()
    {
        var subpath = Opts.Optional("SUBPATH", "A directory to label; the deployment if not given");
        var prefix = Opts.Optional("PREFIX", "What the policy shall take the directory for");
        return new Verb("selinux-ensure-labeled", "Relabel all or part of a deployment", "ostree admin instutil selinux-ensure-labeled /mnt/sysroot/var var")
        {
            subpath, prefix,
        }.Takes("[SUBPATH PREFIX]").ReadsSysroot((sysroot, parsed) =>
        {
            var first = sysroot.Deployments.FirstOrDefault() ?? throw new SysrootException("Unable to find a deployment in sysroot");
            var target = parsed.GetValue(subpath);
            if (target is not null && parsed.GetValue(prefix) is null)
            {
                throw new UsageException("SUBPATH needs a PREFIX");
            }

            // The policy's paths have single slashes.
            var shown = "/" + string.Join('/', (parsed.GetValue(prefix) ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries));
            var isLabelled = sysroot.EnsureLabelled(
                first, target, shown,
                policy => Console.Out.WriteLine($"Relabeling using policy '{policy}'"),
                (path, labelled, label) => Console.Out.WriteLine($"Set label of '{path}' (as '{labelled}') to '{label}'"));
            if (!isLabelled)
            {
                Console.Out.WriteLine($"No SELinux policy found in deployment '{Path.GetFullPath(sysroot.PathOf(first))}'");
            }
        });
    }
}
