using System.CommandLine;

namespace OciOstree.Cli.Admin;

/// <summary>The words of <c>ostree admin</c>: deployments of a sysroot.</summary>
internal static class AdminVerbs
{
    public static Command Group() => new("admin", "Commands for managing a host system booted with ostree");
}
