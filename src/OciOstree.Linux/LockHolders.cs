using System.Globalization;
using System.Text;

namespace OciOstree.Linux;

/// <summary>
/// Who holds a lock on a file. The kernel names no process for a lock of an open file description (its <c>/proc/locks</c> says -1), but
/// <c>/proc/PID/fdinfo</c> lists the locks taken through each descriptor.
/// </summary>
public static class LockHolders
{
    /// <summary>The processes that hold a lock on a file, as <c>NAME (process PID)</c>. Those of other users are only seen by root.</summary>
    public static List<string> Of(LinuxDirectory directory, string name)
    {
        List<string> holders = [];
        if (directory.TryStatus(name) is not { } file)
            return holders;
        foreach (string path in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int process))
                continue;
            try
            {
                if (Holds(path, file))
                    holders.Add($"{File.ReadAllText(path + "/comm").TrimEnd()} (process {process})");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // gone meanwhile, or not ours to look at
            }
        }
        return holders;
    }

    private static bool Holds(string process, FileStatus file)
    {
        using LinuxDirectory descriptors = LinuxDirectory.Open(process + "/fd"), details = LinuxDirectory.Open(process + "/fdinfo");
        foreach (DirectoryEntry entry in descriptors.ReadEntries())
            if (descriptors.TryStatus(entry.Name, followLinks: true) is { } opened && opened.IsSameFile(file)
                && Encoding.ASCII.GetString(details.ReadAllBytes(entry.Name, 1 << 20)).Contains("\nlock:", StringComparison.Ordinal))
                return true;
        return false;
    }
}
