using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>zipl of s390x, which records where blocks lie.</summary>
internal sealed class ZiplBootloader(Sysroot sysroot) : StampedBootloader(sysroot)
{
    public override string Name => "zipl";

    public override bool IsActive() => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.S390x;

    protected override void Install(int version)
    {
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
    }

    /// <summary>Whether the firmware checks signatures, which it then has to be given.</summary>
    private static bool IsSecure()
    {
        const string flag = "/sys/firmware/ipl/secure";
        return File.Exists(flag) && File.ReadAllText(flag).Contains('1', StringComparison.Ordinal);
    }
}
