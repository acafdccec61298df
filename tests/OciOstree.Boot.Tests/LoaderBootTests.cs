using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>The loaders that machines have, each with a <c>/boot</c> of its own: a first deployment boots, and the second, made inside, is what the loader takes next.</summary>
public sealed class LoaderBootTests(ITestOutputHelper output)
{
    [Fact]
    public void Grub_boots_what_is_deployed_and_what_follows_it() => Boot(GptLoader.GrubOnBios);

    [Theory]
    [Trait("Form", "long")]
    [InlineData(GptLoader.GrubOnEfi)]
    [InlineData(GptLoader.SystemdBoot)]
    public void A_loader_boots_what_is_deployed_and_what_follows_it(GptLoader loader) => Boot(loader);

    private void Boot(GptLoader loader) => PrivateMounts.Run(() =>
    {
        var commands = new GuestCommands("ostree admin status", "true", "ostree admin deploy --os=mini mini/2");
        using var scratch = new ScratchDirectory("loader");
        using var disk = new GptDisk(scratch, "disk", loader);
        disk.InitializeSysroot("mini");
        foreach (string version in (string[])["1", "2"])
        {
            string tree = scratch.MakeDirectory("tree" + version);
            BootTree.Make(tree, KernelPackage.Get(), version, commands);
            OurProgram.Ostree("commit", $"--repo={disk.Root}/ostree/repo", "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable").Ok();
        }
        OurProgram.Ostree("admin", "deploy", "--sysroot=" + disk.Root, "--os=mini", "--karg=root=LABEL=" + BootDisk.Label, "--karg=rw", "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck, "mini/1").Ok();
        Tool.Run("ostree", "admin", "status", "--sysroot=" + disk.Root).Ok();
        disk.Unmount();
        var story = VirtualMachine.Run(disk, registryPort: 9, scratch, VirtualMachine.Patience);
        output.WriteLine(story.Everything);
        disk.Mount();

        Judge.System(story, 1, "1");
        story.ExpectSuccess(1, "step");
        Judge.System(story, 2, "2");
        Assert.NotEqual(story.Deployment(1), story.Deployment(2));
        story.Expect(2, "var-keep", "kept");
        Judge.Remains(disk, "mini");
    });
}
