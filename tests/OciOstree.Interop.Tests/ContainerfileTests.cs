using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary>What <c>containerfiles/</c> promises: buildah builds it, and the result does what it says.</summary>
public sealed class ContainerfileTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("containerfile");

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void The_tool_runs_in_its_image()
    {
        MakeBase();
        Buildah("bud", "--quiet", "--isolation", "chroot", "--build-arg", "BASE=localhost/base", "-t", "localhost/tool",
            "-f", Path.Combine(OurProgram.CheckoutRoot, "containerfiles/tool/Containerfile"), Path.GetDirectoryName(OurProgram.Path())!).Ok();
        string container = Buildah("from", "localhost/tool").Ok().OutputLine;
        foreach (string name in new[] { "oci-ostree", "ostree", "ostree-container" })
        {
            // By exit code: under load buildah may lose what a quick program printed.
            Buildah("run", "--isolation", "chroot", container, "--", "/bin/sh", "-c", $"[ -n \"$(/usr/bin/{name} --version)\" ]").Ok();
        }

        // Hashing needs OpenSSL, which the executable finds at run time.
        Buildah("run", "--isolation", "chroot", container, "--", "/usr/bin/oci-ostree", "init", "--repo=/repo", "--mode=bare").Ok();
        Buildah("run", "--isolation", "chroot", container, "--", "/usr/bin/oci-ostree", "commit", "--repo=/repo", "--branch=x", "--tree=dir=/bin").Ok();
    }

    [Fact]
    public void An_operating_system_builds_on_an_image()
    {
        MakeBase();
        Buildah("bud", "--quiet", "--isolation", "chroot", "--build-arg", "BASE=localhost/base", "--build-arg", "VERSION=7", "-t", "localhost/os",
            "-f", Path.Combine(OurProgram.CheckoutRoot, "containerfiles/os/Containerfile"), scratch.MakeDirectory("context")).Ok();
        Buildah("push", "--quiet", "localhost/os", $"oci:{scratch["os"]}:7").Ok();
        string summary = OurProgram.Run("inspect", $"oci:{scratch["os"]}:7").Ok().Output;
        Assert.Contains("Version:  7", summary);
    }

    /// <summary>An image of a shell, and of the libraries that the executable needs, from this machine.</summary>
    private void MakeBase()
    {
        Tool.Shell($$"""
            mkdir -p base/bin base/etc/ssl/certs base/usr/bin base/usr/lib base/tmp base/var/tmp base/lib64
            cp /bin/busybox base/bin/busybox
            for name in sh ln mkdir rm; do ln -s busybox base/bin/$name; done
            { ldd {{OurProgram.Path()}}; ldd "$(ldconfig -p | sed -n 's/.* \(\/.*libssl\.so\.3\)$/\1/p' | head -1)"; ldconfig -p | grep -E 'lib(ssl|crypto)\.so\.3'; } |
                grep -oE '/[^ ]+\.so[^ ]*' | sort -u | while read -r library; do cp -L --parents "$library" base; done
            echo certificates >base/etc/ssl/certs/ca-certificates.crt
            """, scratch.Path).Ok();
        string container = Buildah("from", "scratch").Ok().OutputLine;
        Buildah("add", "--quiet", container, scratch["base"], "/").Ok();
        Buildah("commit", "--quiet", container, "localhost/base").Ok();
    }

    private ToolResult Buildah(params string[] arguments) =>
        Tool.Run("buildah", ["--root", scratch["containers"], "--runroot", scratch["containers-run"], "--storage-driver", "vfs", .. arguments]);
}
