namespace OciOstree.Sysroot;

/// <summary>A boot loader that reads blocks, not files: its program runs after the switch, and a stamp says that it has to, should the power go before.</summary>
internal abstract class StampedBootloader(Sysroot sysroot) : Bootloader(sysroot)
{
    private const string Stamp = "ostree-bootloader-update.stamp";

    public override bool IsAtomic => false;

    public override void WriteConfig(int version, IReadOnlyList<Deployment> deployments) => Changes.ReplaceFile(Boot, Stamp, [], sync: false);

    public override void AfterSwitch(int version)
    {
        if (Boot.TryStatus(Stamp) is null)
        {
            return;
        }
        Install(version);
        Changes.TryUnlink(Boot, Stamp);
    }

    /// <summary>Has the boot loader take over what is current now.</summary>
    protected abstract void Install(int version);
}
