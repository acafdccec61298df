using System.CommandLine;

namespace OciOstree.Cli.Admin;

internal static class StaterootInitCommand
{
    /// <summary>Once by its name of today, once by its old one.</summary>
    public static Command Create(string name)
    {
        var stateroot = Opts.Optional("STATEROOT", "The name under which deployments share a /var");
        return new Verb(name, "Initialize empty state for given operating system", $"ostree admin {name} debian") { stateroot }.Takes("STATEROOT").ChangesSysroot((sysroot, parsed) =>
        {
            var made = parsed.GetValue(stateroot) ?? throw new UsageException("STATEROOT must be specified");
            sysroot.InitializeStateroot(made);
            Console.Out.WriteLine($"ostree/deploy/{made} initialized as OSTree stateroot");
        });
    }
}
