using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary>The guard of a freeze, run by a deployment that flushes /boot.</summary>
internal static class ThawCommand
{
    private const string Name = "impl-thaw";

    /// <summary>How a deployment starts it: this program again, be it an executable of its own or an assembly that the runtime was told to run.</summary>
    public static IReadOnlyList<string> Invocation { get; } = ["/proc/self/exe", .. ProgramImage.HostArguments, "admin", Name];

    public static Command Create()
    {
        var path = Opts.Required("PATH", "A directory on the file system");
        return new Verb(Name, "Internal command that thaws a file system when its freezer dies", $"ostree admin {Name} /boot") { path }.Hide()
            .Does(parsed => FreezeWatchdog.Guard(parsed.GetValue(path)!));
    }
}
