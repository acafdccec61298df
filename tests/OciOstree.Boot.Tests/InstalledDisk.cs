namespace OciOstree.Boot.Tests;

/// <summary>A disk that <c>oci-ostree install to-disk</c> has made: there is nothing left to do but to boot it.</summary>
internal sealed class InstalledDisk : BootDisk
{
    private readonly bool _efi;

    internal InstalledDisk(ScratchDirectory scratch, string name, bool efi)
        : base(scratch, name, "0") => _efi = efi;

    internal override bool IsEfi => _efi;

    protected override string Bootloader => throw new NotSupportedException("The installation has chosen it");

    internal override void Mount() => throw new NotSupportedException("Nothing of it is looked at from outside");

    protected override void InstallLoader() => throw new NotSupportedException("The installation has done it");
}
