using OciOstree.Formats.GVariant;
using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Container.Tests;

/// <summary>What a machine runs, may run next, went back to or holds on to is never garbage; everything else is.</summary>
public sealed class GarbageTests : IDisposable
{
    private const string Stateroot = "test";
    private readonly ScratchDirectory disk = new("garbage"), run = new("run");
    private readonly Dictionary<string, ImportedImage> images = [];

    public GarbageTests()
    {
        Sysroot.Sysroot.Initialize(disk.MakeDirectory("root"), epoch: 1);
        Tool.Run("ostree", "config", $"--repo={disk["root/ostree/repo"]}", "set", "core.fsync", "false").Ok();
        using var sysroot = Open();
        sysroot.InitializeStateroot(Stateroot);
    }

    public void Dispose()
    {
        disk.Dispose();
        run.Dispose();
    }

    private Sysroot.Sysroot Open() => Sysroot.Sysroot.Open(disk["root"], new SysrootOptions { RunningRoot = disk["root"], RuntimeDirectory = run.Path, StartFinalization = () => { } });

    /// <summary>Images share their first layer and have a second of their own.</summary>
    private ImportedImage Import(string name, ImportOptions? options = null)
    {
        using var sysroot = Open();
        var image = new MemoryImage();
        image.AddTar(tar =>
        {
            foreach (var directory in (string[])["sysroot", "boot", "dev", "proc", "run", "sys", "tmp", "var"])
            {
                tar.Directory(directory);
            }

            tar.Symlink("ostree", "sysroot/ostree");
            tar.File("usr/lib/os-release", "ID=test\nPRETTY_NAME=Test\n");
            tar.File("usr/lib/modules/6.1.0/vmlinuz", "kernel");
            tar.File("usr/lib/modules/6.1.0/initramfs.img", "initramfs");
            tar.File("etc/conf", "default");
        });
        image.AddTar(tar => tar.File($"usr/only-in-{name}", name));
        using var importer = new ImageImporter(sysroot.Repo, TestRepo.Reference(name), options, image);
        return images[name] = importer.Import(importer.Prepare());
    }

    private Deployment Deploy(string name, bool stage = false, ImportOptions? options = null)
    {
        var image = Import(name, options);
        using var sysroot = Open();
        return ContainerDeploy.Deploy(sysroot, Stateroot, image.MergeCommit, TestRepo.Reference(name), new ImageDeployOptions { Stage = stage, KernelArguments = ["root=x"] });
    }

    private void Boot(Deployment deployment)
    {
        using var root = LinuxDirectory.Open(disk["root"]);
        var status = root.Status(deployment.Path);
        File.WriteAllBytes(run["ostree-booted"], Variant.Dictionary([new("backing-root-device-inode", Variant.Tuple(Variant.UInt64(status.Device), Variant.UInt64(status.Inode)))]).Data.ToArray());
    }

    private string OwnLayer(string name) => ImageRefs.ForLayer(images[name].Manifest.Layers[1].Digest);

    [Fact]
    public void Deployments_pins_and_bases_keep_their_images_layers_and_objects()
    {
        Deploy("pinned");
        using (var sysroot = Open())
        {
            sysroot.SetPinned(sysroot.Deployments[0], true);
        }

        Deploy("first");
        Boot(Deploy("booted"));
        Deploy("next");
        Deploy("staged", stage: true);
        Import("nobodys");
        var based = Import("base").MergeCommit;
        using (var sysroot = Open())
        {
            using var transaction = sysroot.Repo.BeginTransaction();
            transaction.SetRef(ImageRefs.BaseImagePrefix + "/other/0", based);
            transaction.Commit();
        }

        using (var sysroot = Open())
        {
            Assert.Equal("staged", NameOf(sysroot.Staged!));
            Assert.Equal("booted", NameOf(sysroot.Booted!));
            string[] deployed = [.. sysroot.Deployments.Select(NameOf).Order(StringComparer.Ordinal)];
            Assert.Contains("pinned", deployed);
            Assert.Contains("next", deployed);

            // By name: all but those that a deployment follows.
            string[] removed = [.. ContainerDeploy.RemoveUndeployedImages(sysroot).Select(image => image.Name[1..])];
            Assert.Equal(images.Keys.Except(deployed).Order(StringComparer.Ordinal), removed.Order(StringComparer.Ordinal));

            // Though a name may go, be it that another image has it now: what is deployed stays whole, with its layers.
            var store = new ImageStore(sysroot.Repo);
            store.Remove(store.List());
            store.PruneLayers();
            sysroot.Cleanup();
            foreach (string name in deployed.Append("base"))
            {
                Assert.Null(ObjectCheck.FindMissing(sysroot.Repo, images[name].MergeCommit));
                Assert.NotNull(sysroot.Repo.ResolveRef(OwnLayer(name)));
            }

            foreach (string name in images.Keys.Except(deployed).Except(["base"]))
            {
                Assert.False(sysroot.Repo.HasObject(new ObjectName(images[name].MergeCommit, ObjectType.Commit)));
                Assert.Null(sysroot.Repo.ResolveRef(OwnLayer(name)));
            }
        }

        // Once undeployed and no base any more, they go, too; the others' layer stays.
        using (var sysroot = Open())
        {
            sysroot.SetPinned(sysroot.Deployments.Single(deployment => NameOf(deployment) == "pinned"), false);
        }

        using (var sysroot = Open())
        {
            sysroot.Undeploy(sysroot.Deployments.ToList().FindIndex(deployment => NameOf(deployment) == "pinned"));
            using (var transaction = sysroot.Repo.BeginTransaction())
            {
                transaction.SetRef(ImageRefs.BaseImagePrefix + "/other/0", null);
                transaction.Commit();
            }

            Assert.Equal(2, new ImageStore(sysroot.Repo).PruneLayers());
            sysroot.Cleanup();
            Assert.False(sysroot.Repo.HasObject(new ObjectName(images["pinned"].MergeCommit, ObjectType.Commit)));
            Assert.False(sysroot.Repo.HasObject(new ObjectName(based, ObjectType.Commit)));
            Assert.NotNull(sysroot.Repo.ResolveRef(ImageRefs.ForLayer(images["booted"].Manifest.Layers[0].Digest)));
        }

        Tool.Run("ostree", "fsck", "--quiet", $"--repo={disk["root/ostree/repo"]}").Ok();
    }

    [Fact]
    public void Without_a_name_for_the_image_its_layers_are_there_for_the_next_pull()
    {
        var image = Deploy("unnamed", options: new ImportOptions { WriteImageRef = false });
        Assert.NotNull(image);
        using var sysroot = Open();
        var store = new ImageStore(sysroot.Repo);
        Assert.Empty(store.List());
        Assert.Equal(0, store.PruneLayers());
        Assert.NotNull(sysroot.Repo.ResolveRef(OwnLayer("unnamed")));
    }

    private static string NameOf(Deployment deployment) => ContainerDeploy.ImageOf(deployment)!.Image.Name[1..];
}
