using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary>The guard of a freeze, run by a deployment that flushes /boot.</summary>
internal static class ThawCommand
{
    private const string Name = "impl-thaw";

    /// <summary>How a deployment starts it; null where this program is not one executable, which could not start itself.</summary>
    public static IReadOnlyList<string>? Invocation { get; } =
        System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported ? null : ["/proc/self/exe", "admin", Name];

    public static Command Create()
    {
        var path = Opts.Required("PATH", "A directory on the file system");
        return new Verb(Name, "Internal command that thaws a file system when its freezer dies", $"ostree admin {Name} /boot") { path }.Hide()
            .Does(parsed => FreezeWatchdog.Guard(parsed.GetValue(path)!));
    }
}
