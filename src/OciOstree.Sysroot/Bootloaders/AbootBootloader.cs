using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>Android's boot loader: a signed image goes to a partition, after the switch, by <c>aboot-deploy</c>.</summary>
internal sealed class AbootBootloader(Sysroot sysroot) : StampedBootloader(sysroot)
{
    public override string Name => "aboot";

    public override bool IsActive() => false;

    protected override void Install(int version)
    {
        var entry = Entries(version).FirstOrDefault() ?? throw new SysrootException("aboot: no bls config");
        string key(string name) => entry.Get(name) ?? throw new SysrootException($"aboot: no \"{name}\" key in bootloader config");
        FaultPoint.Before("run aboot-deploy");
        RequiredProgram.Run("aboot-deploy", ["-r", ".", "-c", key("abootcfg"), "-o", key("options"), key("aboot")], workingDirectory: Sysroot.Path);
    }
}
