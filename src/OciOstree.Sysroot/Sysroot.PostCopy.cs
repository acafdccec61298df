using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>
    /// Gives back what a copy of the sysroot by files has lost: fs-verity on objects and composefs images, where the repository's
    /// <c>[ex-integrity]</c> asks for it. Does nothing where it does not, or where the file system cannot and need not.
    /// </summary>
    public void UpdateAfterCopy(CancellationToken cancellation = default)
    {
        RequireWritable();
        Feature wanted = WantedVerity();
        if (wanted == Feature.No)
        {
            return;
        }
        try
        {
            using LinuxDirectory objects = Repo.Root.OpenDirectory("objects");
            foreach (ObjectName name in Repo.ListObjects())
            {
                cancellation.ThrowIfCancellationRequested();
                string hex = name.Checksum.ToString();
                string ending = name.Type == ObjectType.File && Repo.Mode == RepoMode.Archive ? "filez" : name.Type.Word();
                if (!EnableVerity(objects, $"{hex[..2]}/{hex[2..]}.{ending}", wanted))
                {
                    break;
                }
            }
            foreach (Deployment deployment in ListDirectories())
            {
                using LinuxDirectory root = OpenDeployment(deployment);
                if (root.Exists(".ostree.cfs") && !EnableVerity(root, ".ostree.cfs", wanted))
                {
                    break;
                }
            }
        }
        catch (LinuxException e)
        {
            throw Wrap("Enabling fs-verity", e);
        }
    }

    /// <summary>False when this file system cannot, and need not, protect files.</summary>
    private static bool EnableVerity(LinuxDirectory directory, string name, Feature wanted)
    {
        // A bare repository keeps symbolic links as such.
        if (!directory.Status(name).IsRegularFile)
        {
            return true;
        }
        FaultPoint.Before($"enable fs-verity on {name}");
        using SafeFileHandle file = directory.OpenFile(name);
        if (FsVerity.TryEnable(file, directory.PathOf(name)))
        {
            return true;
        }
        return wanted == Feature.Maybe ? false : throw new SysrootException($"fs-verity is required, but the file system of {directory.PathOf(name)} does not support it");
    }

    /// <summary>What the repository asks for; composefs implies that fs-verity may be there.</summary>
    private Feature WantedVerity()
    {
        const string group = "ex-integrity";
        try
        {
            Feature implied = Parse("composefs", Feature.No) == Feature.No ? Feature.No : Feature.Maybe;
            Feature wanted = Parse("fsverity", implied);
            return wanted != Feature.No ? wanted
                : Repo.Config.GetBoolean("ex-fsverity", "required") == true ? Feature.Yes
                : Repo.Config.GetBoolean("ex-fsverity", "opportunistic") == true ? Feature.Maybe
                : Feature.No;
        }
        catch (KeyfileException e)
        {
            throw new SysrootException("Reading the repository's configuration", e);
        }

        Feature Parse(string key, Feature otherwise) => Repo.Config.GetString(group, key) switch
        {
            null => otherwise,
            "yes" or "true" or "1" => Feature.Yes,
            "no" or "false" or "0" => Feature.No,
            "maybe" => Feature.Maybe,
            var other => throw new SysrootException($"Invalid tri-state value '{other}' of {group}.{key}"),
        };
    }

    private enum Feature
    {
        No,
        Maybe,
        Yes,
    }
}
