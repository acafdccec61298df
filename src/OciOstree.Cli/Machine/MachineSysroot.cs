using System.CommandLine;
using OciOstree.Container;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary>The options that all of a machine's words share, and what they find: the sysroot, its stateroot, the deployment to go on from.</summary>
internal sealed class MachineSysroot
{
    private readonly Option<string?> path = Opts.Value("--sysroot", "PATH", "Work on the sysroot at PATH (default: OSTREE_SYSROOT, else /)");
    private readonly Option<string?> stateroot = Opts.Value("--stateroot", "NAME", "Work on this stateroot (default: the booted one's, else that of the first deployment)", "--os");
    private readonly Option<bool> reboot = Opts.Flag("--reboot", "Reboot when all is done, if there is anything new to boot", "-r", "--apply");

    public MachineSysroot AddTo(Command verb)
    {
        verb.Add(path);
        verb.Add(stateroot);
        return this;
    }

    public MachineSysroot AddRebootTo(Command verb)
    {
        verb.Add(reboot);
        return AddTo(verb);
    }

    /// <summary>To be called before anything that must happen only once: to make a running system's sysroot writable, the program may start itself again.</summary>
    public void MakeWritable(ParseResult parsed) => BootedSystem.MakeWritable(PathOf(parsed));

    /// <summary>Opens it for changes; on a system that runs from it, it is made writable first.</summary>
    /// <param name="parsed">Says which.</param>
    /// <param name="mounts">The verb mounts something that all shall see.</param>
    public Sysroot.Sysroot Open(ParseResult parsed, bool mounts = false)
    {
        var root = PathOf(parsed);
        BootedSystem.MakeWritable(root, mounts);
        return SysrootAt.Open(root, new SysrootOptions
        {
            Warning = warning => Console.Error.WriteLine($"warning: {warning}"),
            WatchdogCommand = Admin.ThawCommand.Invocation,
            WaitingForLock = () => Console.Error.WriteLine("Waiting for sysroot lock..."),
        });
    }

    /// <summary>Without its lock, so that looking for an update never waits for one; the repository can be written to.</summary>
    public Sysroot.Sysroot OpenToCheck(ParseResult parsed)
    {
        MakeWritable(parsed);
        return OpenToRead(parsed);
    }

    public Sysroot.Sysroot OpenToRead(ParseResult parsed) =>
        SysrootAt.Open(PathOf(parsed), new SysrootOptions { ReadOnly = true });

    /// <summary>The stateroot to work on; null if none is named and there is no deployment.</summary>
    public string? Stateroot(Sysroot.Sysroot sysroot, ParseResult parsed) =>
        parsed.GetValue(stateroot) ?? sysroot.Booted?.Stateroot ?? sysroot.Deployments.FirstOrDefault()?.Stateroot;

    /// <summary>What boots next in a stateroot: a new deployment goes on from it.</summary>
    /// <exception cref="SysrootException">There is none.</exception>
    public static Deployment Next(Sysroot.Sysroot sysroot, string? stateroot) =>
        sysroot.Deployments.FirstOrDefault(deployment => deployment.Stateroot == stateroot)
            ?? throw new SysrootException(stateroot is null ? "There are no deployments" : $"There are no deployments in the stateroot {stateroot}");

    /// <summary>The image that a deployment follows.</summary>
    /// <exception cref="SysrootException">It follows none.</exception>
    public static OstreeImageReference ImageOf(Deployment deployment) => ContainerDeploy.ImageOf(deployment) ?? throw new SysrootException(
        deployment.Origin?.Refspec is { } refspec
            ? $"This machine follows the branch {refspec}, not an image: use `ostree admin upgrade`, or `oci-ostree rebase IMGREF` to follow one"
            : "This machine follows no image: use `oci-ostree rebase IMGREF`");

    public bool WantsReboot(ParseResult parsed) => parsed.GetValue(reboot);

    /// <summary>Reboots if that was asked for.</summary>
    public void Reboot(Sysroot.Sysroot sysroot, ParseResult parsed)
    {
        if (parsed.GetValue(reboot))
        {
            sysroot.Dispose();   // its lock would outlive us into the shutdown
            Admin.UpgradeCommand.Reboot(sysroot);
        }
    }

    private string PathOf(ParseResult parsed) => parsed.GetValue(path) ?? Sysroot.Sysroot.DefaultPath;
}
