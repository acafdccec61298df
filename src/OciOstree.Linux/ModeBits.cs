namespace OciOstree.Linux;

/// <summary>The type bits of <c>st_mode</c>, the same on every Linux architecture and in tar, cpio and ostree's formats.</summary>
public static class ModeBits
{
    public const uint TypeMask = 0xF000;
    public const uint Fifo = 0x1000;
    public const uint CharacterDevice = 0x2000;
    public const uint Directory = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint RegularFile = 0x8000;
    public const uint SymbolicLink = 0xA000;
    public const uint Socket = 0xC000;
    public const uint PermissionMask = 0xFFF;
}
