using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>The last step of a build on an ostree image: removes what no machine gets, so that it does not travel in layers.</summary>
public static class ContainerCommit
{
    private static readonly string[] Cleaned = ["run", "tmp", "var/tmp", "var/cache"];

    // The second is where the first images had it.
    private static readonly string[] RepositoryConfigs = ["sysroot/ostree/repo/config", "sysroot/config"];

    /// <summary>
    /// Whether this process runs in a container of an ostree image: such a one has its layers' repository, of a mode that no machine has, and either
    /// an engine's marks, or none of a booted system.
    /// </summary>
    public static bool IsInOstreeContainer()
    {
        using var root = LinuxDirectory.Open("/");
        return IsOstreeContainer(root, Environment.GetEnvironmentVariable);
    }

    internal static bool IsOstreeContainer(LinuxDirectory root, Func<string, string?> environment)
    {
        if (!RepositoryConfigs.Any(path => ModeOf(root, path) == "bare-split-xattrs"))
        {
            return false;
        }

        var hasMarks = environment("container") is not null || root.Exists("run/.containerenv") || root.Exists(".dockerenv");
        return hasMarks || (environment("INVOCATION_ID") is null && !root.Exists("run/ostree-booted"));
    }

    /// <summary>Empties <c>/run</c>, <c>/tmp</c>, <c>/var/tmp</c> and <c>/var/cache</c>; what is mounted there, and what leads to it, stays.</summary>
    /// <returns>How many files and directories went.</returns>
    /// <exception cref="LinuxException">Something cannot be removed.</exception>
    public static int Clean(LinuxDirectory root)
    {
        var device = root.Status().Device;
        var removed = 0;
        foreach (var path in Cleaned)
        {
            using var directory = OpenBeneath(root, path);
            if (directory is not null)
            {
                // Even where the directory is a mount itself, as /run of most engines: its entries are of that device and stay.
                Clean(directory, device, ref removed);
            }
        }

        return removed;
    }

    /// <returns>Whether all of it went.</returns>
    private static bool Clean(LinuxDirectory directory, ulong device, ref int removed)
    {
        var isEmpty = true;
        foreach (var entry in directory.ReadEntries())
        {
            if (directory.TryStatus(entry.Name) is not { } status)
            {
                continue;
            }

            if (status.Device != device || status.IsMountRoot)
            {
                isEmpty = false;
                continue;
            }

            if (status.IsDirectory)
            {
                using (var inner = directory.OpenDirectory(entry.Name))
                {
                    if (!Clean(inner, device, ref removed))
                    {
                        isEmpty = false;
                        continue;
                    }
                }

                directory.RemoveDirectory(entry.Name);
            }
            else
            {
                directory.Unlink(entry.Name);
            }

            removed++;
        }

        return isEmpty;
    }

    // A link in the place of one of them could lead anywhere, and is left alone.
    private static LinuxDirectory? OpenBeneath(LinuxDirectory root, string path)
    {
        LinuxDirectory at = root.Duplicate();
        foreach (var name in path.Split('/'))
        {
            var status = at.TryStatus(name);
            var next = status is { IsDirectory: true } ? at.TryOpenDirectory(name) : null;
            at.Dispose();
            if (next is null)
            {
                return null;
            }

            at = next;
        }

        return at;
    }

    private static string? ModeOf(LinuxDirectory root, string path)
    {
        try
        {
            using var handle = root.TryOpenInRoot(path);
            if (handle is null)
            {
                return null;
            }

            var bytes = new byte[64 << 10];
            var count = Files.ReadAt(handle, bytes, 0);
            return KeyFile.Parse(bytes.AsSpan(0, count)).GetString("core", "mode");
        }
        catch (Exception e) when (e is FormatException or LinuxException)
        {
            // No repository that anybody could have made.
            return null;
        }
    }
}
