using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>A file system whose files can share blocks, for one test.</summary>
internal static class XfsVolume
{
    /// <summary>Runs with an empty xfs mounted as <c>mounted</c> in a scratch directory, seen by nobody else.</summary>
    public static void Run(Action<ScratchDirectory> action)
    {
        using var scratch = new ScratchDirectory("xfs");
        PrivateMounts.Run(() =>
        {
            string point = scratch.MakeDirectory("mounted");
            Tool.Run("truncate", "-s", "320M", scratch["image"]).Ok();
            Tool.Run("mkfs.xfs", "-q", scratch["image"]).Ok();
            Tool.Run("mount", "-o", "loop", scratch["image"], point).Ok();
            action(scratch);
            Mounts.Unmount(point, detach: true);
        });
    }

    /// <summary>Whether a file has blocks that are another one's, too.</summary>
    public static bool IsShared(string file)
    {
        Tool.Run("sync", "-f", file).Ok();   // before that the blocks have no places
        return Tool.Run("filefrag", "-v", file).Ok().Output.Contains("shared", StringComparison.Ordinal);
    }
}
