using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

internal static class ConfigDiffCommand
{
    public static Command Create()
    {
        var os = Opts.Value("--os", "OSNAME", "Use a different operating system root than the current one", "--stateroot");
        return new Verb("config-diff", "Diff current /etc configuration versus default", "ostree admin config-diff --os=debian") { os }.ReadsSysroot((sysroot, parsed) =>
        {
            var stateroot = AdminSysroot.Stateroot(sysroot, parsed.GetValue(os));
            var deployment = sysroot.MergeDeployment(stateroot) ?? throw new SysrootException($"No deployment for OS '{stateroot}'");
            using var root = sysroot.OpenDeployment(deployment);
            using var defaults = root.OpenDirectory("usr/etc");
            using var current = root.OpenDirectory("etc");
            // Extended attributes are left out as ostree does, whose output scripts parse.
            var diff = EtcMerge.Compare(defaults, current, compareXattrs: false);
            Print('M', diff.Modified);
            Print('D', diff.Removed);
            Print('A', diff.Added);
        });
    }

    private static void Print(char what, IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            Console.Out.WriteLine($"{what}    {FileName.ForDisplay(path)}");
        }
    }
}
