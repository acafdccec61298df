using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>Android's boot loader: a signed image goes to a partition, after the switch, by <c>aboot-deploy</c>.</summary>
internal sealed class AbootBootloader(Sysroot sysroot) : Bootloader(sysroot)
{
    private const string Stamp = "ostree-bootloader-update.stamp";

    public override string Name => "aboot";

    public override bool IsAtomic => false;

    public override bool IsActive() => false;

    public override void WriteConfig(int version, IReadOnlyList<Deployment> deployments) => Changes.ReplaceFile(Boot, Stamp, [], sync: false);

    public override void AfterSwitch(int version)
    {
        if (Boot.TryStatus(Stamp) is null)
        {
            return;
        }
        var entry = Entries(version).FirstOrDefault() ?? throw new SysrootException("aboot: no bls config");
        string key(string name) => entry.Get(name) ?? throw new SysrootException($"aboot: no \"{name}\" key in bootloader config");
        FaultPoint.Before("run aboot-deploy");
        RequiredProgram.Run("aboot-deploy", ["-r", ".", "-c", key("abootcfg"), "-o", key("options"), key("aboot")], workingDirectory: Sysroot.Path);
        Changes.TryUnlink(Boot, Stamp);
    }
}
