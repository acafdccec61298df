using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>Every way in which this project changes a disk itself, each announced to <see cref="FaultPoint"/>.</summary>
internal static class Changes
{
    public static void MakePath(LinuxDirectory directory, string path, uint mode)
    {
        FaultPoint.Before($"mkdir {path}");
        directory.MakePath(path, mode);
    }

    public static void RemoveTree(LinuxDirectory directory, string name)
    {
        FaultPoint.Before($"remove {name}");
        directory.RemoveTree(name);
    }

    public static bool TryUnlink(LinuxDirectory directory, string name)
    {
        FaultPoint.Before($"unlink {name}");
        return directory.TryUnlink(name);
    }

    public static void RemoveDirectory(LinuxDirectory directory, string name)
    {
        FaultPoint.Before($"rmdir {name}");
        directory.RemoveDirectory(name);
    }

    public static void Rename(LinuxDirectory directory, string name, string newName)
    {
        FaultPoint.Before($"rename {name} to {newName}");
        directory.Rename(name, directory, newName);
    }

    public static void ReplaceFile(LinuxDirectory directory, string name, ReadOnlySpan<byte> content, bool sync, Xattr? label = null)
    {
        FaultPoint.Before($"write {name}");
        directory.ReplaceFile(name, content, 0x1A4 /* 0644 */, sync, label);
    }

    public static void MakeLink(LinuxDirectory directory, string target, string name)
    {
        FaultPoint.Before($"symlink {name}");
        directory.MakeSymbolicLink(target, name);
    }

    /// <summary>Makes a symbolic link or atomically replaces the one that is there.</summary>
    public static void ReplaceLink(LinuxDirectory directory, string target, string name)
    {
        string temporary = $"{name}.tmp";
        TryUnlink(directory, temporary);
        MakeLink(directory, target, temporary);
        Rename(directory, temporary, name);
    }
}
