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
        Run("zipl", ["--blsdir", System.IO.Path.Combine(Sysroot.Path, $"boot/loader.{version}/entries")], []);
        Changes.TryUnlink(Boot, Stamp);
    }
}
