using System.Globalization;
using System.Text.RegularExpressions;

namespace OciOstree.Boot.Tests;

/// <summary>A disk that <c>oci-ostree install to-disk</c> has made: there is nothing left to do but to boot it, and to look at it afterwards.</summary>
internal sealed partial class InstalledDisk : BootDisk
{
    private readonly bool efi;

    internal InstalledDisk(ScratchDirectory scratch, string name, bool efi)
        : base(scratch, name, "0") => this.efi = efi;

    internal override bool IsEfi => efi;

    protected override string Bootloader => throw new NotSupportedException("The installation has chosen it");

    /// <summary>Mounts the last partition, the root, and the one before it at its <c>/boot</c> where there are more than one.</summary>
    internal override void Mount()
    {
        string[] partitions = [.. PartitionLine().Matches(Tool.Run("sfdisk", "--dump", Image).Ok().Output)
            .Select(line => string.Create(CultureInfo.InvariantCulture, $"loop,offset={Bytes(line.Groups[1])},sizelimit={Bytes(line.Groups[2])}"))];
        MountImage(Root, partitions[^1]);
        if (partitions.Length > 1)
            MountImage(Root + "/boot", partitions[^2]);

        static long Bytes(Group sectors) => 512 * long.Parse(sectors.ValueSpan, CultureInfo.InvariantCulture);
    }

    protected override void InstallLoader() => throw new NotSupportedException("The installation has done it");

    [GeneratedRegex("start= *([0-9]+), size= *([0-9]+)")]
    private static partial Regex PartitionLine();
}
