using System.CommandLine;

namespace OciOstree.Cli.Machine;

/// <summary><c>install</c>: an image becomes a machine.</summary>
internal static class InstallCommand
{
    public static Command Create() => new("install", "Install an image onto a file system or a disk") { InstallToFilesystemCommand.Create(), InstallToDiskCommand.Create() };
}
