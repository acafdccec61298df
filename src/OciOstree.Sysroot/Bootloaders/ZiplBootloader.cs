using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>zipl of s390x, which records where blocks lie: it runs after the switch, and a stamp says so should the power go before.</summary>
internal sealed class ZiplBootloader(Sysroot sysroot) : Bootloader(sysroot)
{
    private const string Stamp = "ostree-bootloader-update.stamp";

    public override string Name => "zipl";

    public override bool IsAtomic => false;

    public override bool IsActive() => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.S390x;

    public override void WriteConfig(int version, IReadOnlyList<Deployment> deployments) => Changes.ReplaceFile(Boot, Stamp, [], sync: false);

    public override void AfterSwitch(int version)
    {
        if (Boot.TryStatus(Stamp) is null)
        {
            return;
        }
        FaultPoint.Before("run zipl");
        string[] arguments = ["--secure", IsSecure() ? "1" : "auto", "-V"];
        if (Sysroot.Booted is null && Sysroot.Deployments.Count > 0)
        {
            // The machine that installs is not the one that boots: the new system has its own zipl, and its own idea of the configuration.
            DeploymentProgram.Run(Sysroot.PathOf(Sysroot.Deployments[0]), [(Boot.Path, "/boot")], "zipl", arguments);
        }
        else
        {
            RequiredProgram.Run("zipl", arguments);
        }
        Changes.TryUnlink(Boot, Stamp);
    }

    /// <summary>Whether the firmware checks signatures, which it then has to be given.</summary>
    private static bool IsSecure()
    {
        const string flag = "/sys/firmware/ipl/secure";
        return File.Exists(flag) && File.ReadAllText(flag).Contains('1', StringComparison.Ordinal);
    }
}
