using System.CommandLine;

namespace OciOstree.Cli.Machine;

/// <summary><c>install</c>: an image becomes a machine.</summary>
internal static class InstallCommand
{
    public static Verb Create() => new("install", "Install an image onto a file system or a disk", "oci-ostree install to-disk --imgref=ostree-unverified-registry:quay.io/example/os:latest --size=10G disk.img") { InstallToFilesystemCommand.Create(), InstallToDiskCommand.Create() };
}
