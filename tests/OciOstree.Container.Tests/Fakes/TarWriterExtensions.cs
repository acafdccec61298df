using System.Text;
using OciOstree.Formats.Tar;

namespace OciOstree.Container.Tests;

/// <summary>Entries in a word.</summary>
internal static class TarWriterExtensions
{
    public static void Directory(this TarWriter tar, string name, uint mode = 0x1ed, int uid = 0) =>
        tar.Write(new TarEntry { Name = Encoding.UTF8.GetBytes(name), Type = TarEntryType.Directory, Mode = mode, Uid = uid, ModifiedSeconds = 1 });

    public static void File(this TarWriter tar, string name, string content = "", uint mode = 0x1a4, long modified = 1, int uid = 0, params TarXattr[] xattrs)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        tar.Write(new TarEntry { Name = Encoding.UTF8.GetBytes(name), Type = TarEntryType.File, Mode = mode, Uid = uid, Size = bytes.Length, ModifiedSeconds = modified, Xattrs = xattrs }, bytes);
    }

    public static void Symlink(this TarWriter tar, string name, string target) =>
        tar.Write(new TarEntry { Name = Encoding.UTF8.GetBytes(name), Type = TarEntryType.SymbolicLink, Mode = 0x1b6, LinkName = Encoding.UTF8.GetBytes(target), ModifiedSeconds = 1 });

    public static void HardLink(this TarWriter tar, string name, string target, long modified = 1) =>
        tar.Write(new TarEntry { Name = Encoding.UTF8.GetBytes(name), Type = TarEntryType.HardLink, Mode = 0x1a4, LinkName = Encoding.UTF8.GetBytes(target), ModifiedSeconds = modified });

    public static void Special(this TarWriter tar, string name, TarEntryType type) =>
        tar.Write(new TarEntry { Name = Encoding.UTF8.GetBytes(name), Type = type, Mode = 0x1a4, DeviceMajor = 1, DeviceMinor = 3, ModifiedSeconds = 1 });
}
