using System.Text;
using OciOstree.Formats.Keyfile;

namespace OciOstree.Sysroot.Tests;

/// <summary>What images and administrators write, damaged: a value or the format's own exception, in memory that the input accounts for.</summary>
public sealed class MutationTests
{
    [Fact]
    public void OsReleases() => Mutations.Feed<FormatException>("NAME=\"Debian GNU/Linux\"\nID=debian\nPRETTY_NAME='a\\'b'\nVERSION_ID=12\n# x\nX=\"\\$y\\\\\"\n"u8.ToArray(), bytes => OsRelease.Parse(Encoding.UTF8.GetString(bytes)), refuses: false);

    [Fact]
    public void GrubEnvironments() => Mutations.Feed<GrubEnvironmentException>(Encoding.ASCII.GetBytes("# GRUB Environment Block\nboot_success=1\nsaved_entry=a\\\\b\\\nc\n".PadRight(1024, '#')), bytes => GrubEnvironment.Parse(bytes));

    [Fact]
    public void Origins() => Mutations.Feed<KeyfileException>("[origin]\ncontainer-image-reference=ostree-unverified-registry:quay.io/a/b:c\n\n[libostree-transient]\npinned=true\n"u8.ToArray(), bytes =>
    {
        Origin origin = Origin.Parse(bytes);
        _ = (origin.ContainerImageReference, origin.Refspec);
    });

    [Fact]
    public void KernelCommandLines() => Mutations.Feed<FormatException>("root=UUID=1 rw quiet foo=\"a b\" ostree=/ostree/boot.1/x console=tty0 console=ttyS0"u8.ToArray(), bytes => KernelArguments.Parse(Encoding.UTF8.GetString(bytes)).ToString(), refuses: false);
}
