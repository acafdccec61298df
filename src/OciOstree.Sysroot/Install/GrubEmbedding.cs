using System.Buffers.Binary;

namespace OciOstree.Sysroot;

/// <summary>What <c>grub-bios-setup</c> does, which needs block devices: the boot sector says where GRUB's core lies, and the core's first sector how long it is.</summary>
internal static class GrubEmbedding
{
    /// <summary>Of a boot sector's bytes so many are code; what follows is the partition table.</summary>
    public const int BootCodeSize = 440;

    private const int Sector = 512;

    /// <summary>Puts both on a disk whose partitions are there already.</summary>
    /// <param name="disk">An image file or a block device.</param>
    /// <param name="at">Where the core's room begins, in bytes.</param>
    /// <param name="room">How large it is, in bytes.</param>
    /// <param name="boot">GRUB's <c>boot.img</c>.</param>
    /// <param name="core">What <c>grub-mkimage</c> made for a BIOS.</param>
    /// <exception cref="SysrootException">They are not what they should be, or do not fit.</exception>
    public static void Write(string disk, long at, long room, byte[] boot, byte[] core)
    {
        if (boot.Length != Sector || core.Length < Sector || core.Length > room)
        {
            throw new SysrootException("GRUB's image for a BIOS is not of a size that fits before the first partition");
        }
        ulong sector = (ulong)(at / Sector);
        Array.Resize(ref core, (core.Length + Sector - 1) / Sector * Sector);
        BinaryPrimitives.WriteUInt64LittleEndian(boot.AsSpan(0x5C), sector);
        boot[0x66] = boot[0x67] = 0x90;   // two no-ops: boot from the drive that the BIOS names
        BinaryPrimitives.WriteUInt64LittleEndian(core.AsSpan(500), sector + 1);
        BinaryPrimitives.WriteUInt16LittleEndian(core.AsSpan(508), (ushort)(core.Length / Sector - 1));
        BinaryPrimitives.WriteUInt16LittleEndian(core.AsSpan(510), 0x820);
        using var file = new FileStream(disk, FileMode.Open, FileAccess.Write);
        file.Write(boot.AsSpan(0, BootCodeSize));
        file.Position = at;
        file.Write(core);
        file.Flush(flushToDisk: true);
    }
}
