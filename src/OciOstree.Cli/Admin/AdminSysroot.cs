using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary>The sysroot that an admin verb works on.</summary>
internal static class AdminSysroot
{
    public static readonly Option<string?> Path = Recursive(Opts.Value("--sysroot", "PATH", "Create a new OSTree sysroot at PATH"));

    public static readonly Option<bool> PrintCurrentDirectory = Recursive(Opts.Flag("--print-current-dir", "Print the directory of the default deployment and do nothing else"));

    /// <summary>Opens it for changes, waiting for whoever holds its lock.</summary>
    /// <param name="parsed">Says which.</param>
    /// <param name="mounts">The verb mounts something that all shall see.</param>
    public static Sysroot.Sysroot Open(ParseResult parsed, bool mounts = false)
    {
        var path = PathOf(parsed);
        BootedSystem.MakeWritable(path, mounts);
        return Open(path);
    }

    public static Sysroot.Sysroot Open(string path) => Sysroot.Sysroot.Open(path, new SysrootOptions
    {
        Message = Console.Out.WriteLine,
        Warning = warning => Console.Error.WriteLine($"warning: {warning}"),
        WatchdogCommand = ThawCommand.Invocation,
        WaitingForLock = () => Console.Out.WriteLine("Waiting for sysroot lock..."),
    });

    /// <summary>Opens it to look at only, without its lock.</summary>
    public static Sysroot.Sysroot OpenToRead(ParseResult parsed) =>
        Sysroot.Sysroot.Open(PathOf(parsed), new SysrootOptions { ReadOnly = true });

    /// <summary>A verb that changes the sysroot; <c>--print-current-dir</c> takes the place of whatever it does.</summary>
    public static Verb ChangesSysroot(this Verb verb, Action<Sysroot.Sysroot, ParseResult> action, bool mounts = false) => verb.Does(parsed =>
    {
        if (PrintedCurrentDirectory(parsed))
        {
            return;
        }

        using var sysroot = Open(parsed, mounts);
        action(sysroot, parsed);
    });

    public static Verb ReadsSysroot(this Verb verb, Action<Sysroot.Sysroot, ParseResult> action) => verb.Does(parsed =>
    {
        if (PrintedCurrentDirectory(parsed))
        {
            return;
        }

        using var sysroot = OpenToRead(parsed);
        action(sysroot, parsed);
    });

    public static bool PrintedCurrentDirectory(ParseResult parsed)
    {
        if (!parsed.GetValue(PrintCurrentDirectory))
        {
            return false;
        }

        using var sysroot = OpenToRead(parsed);
        var first = sysroot.Deployments.FirstOrDefault() ?? throw new SysrootException("Unable to find a deployment in sysroot");
        Console.Out.WriteLine(System.IO.Path.GetFullPath(sysroot.PathOf(first)));
        return true;
    }

    /// <summary>The stateroot asked for, else the booted one's.</summary>
    /// <param name="sysroot">Where to look.</param>
    /// <param name="asked">What <c>--os</c> says.</param>
    /// <param name="missing">What ostree calls it when neither is there, which depends on the verb.</param>
    public static string Stateroot(Sysroot.Sysroot sysroot, string? asked, string missing = "no --os= argument given") =>
        asked ?? sysroot.Booted?.Stateroot ?? throw new SysrootException($"Not currently booted into an OSTree system and {missing}");

    public static Deployment Booted(Sysroot.Sysroot sysroot) => sysroot.Booted ?? throw new SysrootException("Not currently booted into an OSTree system");

    private static string PathOf(ParseResult parsed) => parsed.GetValue(Path) ?? Sysroot.Sysroot.DefaultPath;

    private static Option<T> Recursive<T>(Option<T> option)
    {
        option.Recursive = true;
        return option;
    }
}
