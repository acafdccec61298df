using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

internal static class KargsCommand
{
    public static Command Create() => new("kargs", "Change kernel arguments") { EditInPlace() };

    private static Verb EditInPlace()
    {
        var append = Opts.Many("--append-if-missing", "NAME=VALUE", "Append kernel arguments if they do not exist");
        // ostree takes words here and looks at none of them; scripts give it a refspec.
        var ignored = Opts.Rest("ARGS", "Ignored: every deployment is changed");
        return new Verb("edit-in-place", "Set new kernel command line arguments in place (applies to all deployments by default)", "ostree admin kargs edit-in-place --append-if-missing=rw")
        {
            append, ignored,
        }.Takes("ARGS").Hide().ChangesSysroot((sysroot, parsed) =>
        {
            if (sysroot.Deployments.Count == 0)
            {
                throw new SysrootException("Unable to find a deployment in sysroot");
            }

            foreach (var deployment in sysroot.Deployments)
            {
                var arguments = deployment.KernelArguments;
                foreach (var word in parsed.GetValue(append)!)
                {
                    arguments.AppendIfMissing(word);
                }

                sysroot.SetKernelArgumentsInPlace(deployment, arguments);
            }
        });
    }
}
