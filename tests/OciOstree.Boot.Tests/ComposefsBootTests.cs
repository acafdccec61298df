using System.Diagnostics;
using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>Roots that are composefs images, written by our <c>deploy</c> and mounted by the newest real <c>ostree-prepare-root</c>.</summary>
public sealed class ComposefsBootTests(ITestOutputHelper output)
{
    // Newer kernels' allocator trips over how QEMU 7.2 emulates CMPXCHG16B (feature 141); programs need it all the same.
    private static readonly string[] s_arguments = ["--karg=root=LABEL=" + BootDisk.Label, "--karg=rw", "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck, "--karg=clearcpuid=141"];
    private readonly Stopwatch clock = Stopwatch.StartNew();

    [Fact]
    public void A_machine_with_a_composefs_root_upgrades_itself_to_one_that_forgets_and_back() => PrivateMounts.Run(() =>
    {
        const string facts = "/usr/libexec/composefs-facts";
        var commands = new GuestCommands("oci-ostree status", "ostree admin status", "/usr/libexec/step-1", "/usr/libexec/step-2") { StageOn = 1, Facts = facts };
        using var scratch = new ScratchDirectory("composefs");
        string repo = scratch["repo"], images = scratch["images"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        foreach (string version in (string[])["1", "2"])
        {
            string tree = MakeTree(scratch, version, commands, new RootProtection("[composefs]\nenabled = yes\n" + (version == "2" ? "[root]\ntransient = true\n[etc]\ntransient = true\n" : "")), new()
            {
                // What is staged must not be cut off by the overlay, nor the overlay keep the system from being recognised.
                ["step-1"] = """
                    oci-ostree usroverlay && touch /usr/lib/overlaid && echo overlaid && oci-ostree status
                    oci-ostree rebase ostree-unverified-image:oci:/var/images:2
                    """,
                ["step-2"] = """
                    echo forgotten >/etc/hostname && echo forgotten >/etc/forgotten
                    ostree admin config-diff
                    oci-ostree rebase ostree-unverified-image:oci:/var/images:1
                    """,
            });
            OurProgram.Run("commit", "--repo", repo, "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable", "--add-metadata-string=version=" + version).Ok();
            OurProgram.Run("container", "encapsulate", "--repo", repo, "mini/" + version, $"oci:{images}:{version}").Ok();
        }
        using var disk = new ExtlinuxDisk(scratch, "disk", "600M");
        disk.InitializeSysroot("mini");
        OurProgram.Run(["deploy", "--sysroot", disk.Root, "--stateroot", "mini", "--imgref", $"ostree-unverified-image:oci:{images}:1", .. s_arguments]).Ok();
        Tool.Run("cp", "-a", images, disk.Root + "/ostree/deploy/mini/var/images").Ok();
        Lap("deployed");

        var story = Boot(disk, scratch);
        Assert.Equal(3, story.Boots);
        foreach (int boot in (int[])[1, 2, 3])
        {
            story.Expect(boot, "version", boot == 2 ? "2" : "1");
            story.Expect(boot, "writable /sysroot", "no");
            story.Expect(boot, "writable /etc", "yes");
            story.Expect(boot, "writable /var", "yes");
            story.ExpectSuccess(boot, "status");
            story.ExpectSuccess(boot, "json");
            story.ExpectSuccess(boot, "facts");
            Assert.Contains(story.Output(boot, "status"), line => line.StartsWith("* ", StringComparison.Ordinal));
            Assert.Contains(story.Output(boot, "json"), line => line.StartsWith("* mini ", StringComparison.Ordinal));
            Fact(story, boot, "root overlay ");
            Assert.Contains("    Root:       composefs" + (boot == 2 ? ", changes outside of /var are lost at reboot" : ""), story.Output(boot, "status"));
            Fact(story, boot, "root-writable " + (boot == 2 ? "yes" : "no"));
            Fact(story, boot, "usr-writable " + (boot == 2 ? "yes" : "no"));
            Fact(story, boot, "etc " + (boot == 2 ? "overlay" : "ext4"));
        }
        story.ExpectSuccess(1, "step");
        Assert.Contains("overlaid", story.Output(1, "step"));
        story.Expect(1, "started", "ostree-finalize-staged.service");
        story.ExpectSuccess(1, "finalize");
        story.ExpectSuccess(2, "step");

        // The second system's /etc is made of its defaults at each boot; what the owner of the first did is carried over below it, and what was done to the second is not.
        story.Expect(2, "etc hostname", "mini-2");
        story.Expect(2, "etc local", "-");
        story.Expect(3, "etc hostname", "edited");
        story.Expect(3, "etc local", "mine");
        story.Expect(3, "etc-mode local", "640:12:34");
        story.Expect(3, "etc removed", "-");
        story.Expect(3, "etc motto", "of version 1");
        story.Expect(3, "var-keep", "kept");
        Judge.Remains(disk, "mini");
    });

    [Fact]
    public void A_protected_root_boots_and_what_was_tampered_with_is_not_given_out() => PrivateMounts.Run(() =>
    {
        var commands = new GuestCommands("oci-ostree status", "ostree admin status", "/usr/libexec/step-1", "/usr/libexec/step-2") { Facts = "/usr/libexec/composefs-facts" };
        using var scratch = new ScratchDirectory("verity");
        using var disk = MakeProtectedDisk(scratch);
        string repo = disk.Root + "/ostree/repo";
        foreach (string version in (string[])["1", "2"])
        {
            string tree = MakeTree(scratch, version, commands, new("[composefs]\nenabled = verity\n"), new()
            {
                ["step-1"] = """
                    ostree admin post-copy && oci-ostree kargs --delete=ostree.prepare-root.composefs || exit
                    cd /sysroot/ostree/deploy/mini/deploy && cmp */.ostree.cfs && echo equal images
                    """,
                ["step-2"] = """
                    cat /usr/lib/victim || exit
                    mount -o remount,rw /sysroot
                    echo 3 >/proc/sys/vm/drop_caches
                    for file in victim target; do
                      inode=$(stat -c %i /sysroot/ostree/deploy/mini/deploy/*.0/usr/lib/$file)
                      object=$(find /sysroot/ostree/repo/objects -inum $inode)
                      cp $object /run/object && sed -i s/harmless/harmful!/ /run/object && rm $object && cat /run/object >$object
                    done
                    cat /usr/lib/target 2>/dev/null && echo "was given out: target" || echo "refused: target"
                    cat /usr/lib/version && echo "was given out: version"
                    ostree admin deploy --os=mini mini/2 || exit
                    cd $(dirname $(grep -lx 2 /sysroot/ostree/deploy/mini/deploy/*/usr/lib/version))/../..
                    cp .ostree.cfs /run/image && dd if=/dev/zero of=/run/image bs=1024 seek=1 count=1 conv=notrunc
                    chattr -i . && rm .ostree.cfs && cp /run/image .ostree.cfs && sync && echo garbled
                    """,
            });
            scratch.Write($"tree{version}/usr/lib/victim", $"harmless {version}, to be sure\n");
            scratch.Write($"tree{version}/usr/lib/target", $"harmless {version}, too\n");
            OurProgram.Ostree("commit", "--repo", repo, "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable", "--generate-composefs-metadata").Ok();
        }
        OurProgram.Ostree(["admin", "deploy", "--sysroot=" + disk.Root, "--os=mini", .. s_arguments, "--karg=ostree.prepare-root.composefs=0", "mini/1"]).Ok();
        Lap("deployed");

        var story = Boot(disk, scratch);
        story.Expect(1, "version", "1");
        Fact(story, 1, "root ext4 ");
        story.ExpectSuccess(1, "step");
        // What was digested here and what the guest's kernel measured is the same.
        Assert.Contains("equal images", story.Output(1, "step"));

        story.Expect(2, "version", "1");
        Assert.Contains("    Root:       composefs, content checked (fs-verity)", story.Output(2, "status"));
        Assert.Contains(story.Output(2, "facts"), line => line.StartsWith("root overlay ro,", StringComparison.Ordinal) && line.Contains("verity=require", StringComparison.Ordinal));
        story.ExpectSuccess(2, "step");
        string[] told = [.. story.Output(2, "step")];
        // What had been read before is no proof; the target is opened only now.
        Assert.Contains("harmless 1, to be sure", told);
        Assert.Contains("refused: target", told);
        Assert.Contains("was given out: version", told);
        Assert.Contains("garbled", told);

        Assert.Equal(2, story.Boots);
        Assert.Contains("INITRD-FAILED: ostree-prepare-root", story.Everything, StringComparison.Ordinal);
        Assert.Contains("Failed to mount composefs: composefs: failed to mount", story.Everything, StringComparison.Ordinal);
    });

    [Fact]
    [Trait("Form", "long")]
    public void A_signed_root_is_looked_for_where_the_initramfs_looks() => PrivateMounts.Run(() =>
    {
        using var scratch = new ScratchDirectory("signed");
        using var disk = MakeProtectedDisk(scratch);
        string repo = disk.Root + "/ostree/repo";
        (string secret, string key) = MakeKey(scratch);
        string tree = MakeTree(scratch, "1", new GuestCommands("true", "true"), new("[composefs]\nenabled = signed\n", key), []);
        OurProgram.Ostree("commit", "--repo", repo, "--branch=mini/1", "--tree=dir=" + tree, "--bootable", "--generate-composefs-metadata", "--sign-type=ed25519", "--sign=" + secret).Ok();
        OurProgram.Ostree("sign", "--repo", repo, "--verify", "--sign-type=ed25519", "mini/1", key).Ok();
        OurProgram.Ostree(["admin", "deploy", "--sysroot=" + disk.Root, "--os=mini", .. s_arguments, "mini/1"]).Ok();

        var story = Boot(disk, scratch);
        Assert.Equal(0, story.Boots);
        // The key was read, the commit and its signature were found. Debian's build goes no further; one that can check signatures does, up to the fs-verity that this kernel cannot give.
        Assert.True(story.Everything.Contains("ed25519 signature validation requested, but support not compiled in", StringComparison.Ordinal)
            || story.Everything.Contains("fsverity not enabled on composefs image", StringComparison.Ordinal), story.Everything);
    });

    /// <summary>An ext4 that fs-verity works on. This machine's kernel may not know it: the guest's gives it to what is copied there.</summary>
    private static ExtlinuxDisk MakeProtectedDisk(ScratchDirectory scratch)
    {
        var disk = new ExtlinuxDisk(scratch, "disk", "600M", verity: true);
        disk.InitializeSysroot("mini");
        OurProgram.Run("config", "--repo", disk.Root + "/ostree/repo", "set", "ex-integrity.fsverity", "maybe").Ok();
        return disk;
    }

    private static void Fact(BootStory story, int boot, string fact)
    {
        if (!story.Output(boot, "facts").Any(line => line.StartsWith(fact, StringComparison.Ordinal)))
            Assert.Fail($"boot {boot} did not tell \"{fact}\":\n{story.Everything}");
    }

    private static string MakeTree(ScratchDirectory scratch, string version, GuestCommands commands, RootProtection protection, Dictionary<string, string> scripts)
    {
        string tree = scratch.MakeDirectory("tree" + version);
        BootTree.Make(tree, KernelPackage.GetNewer(), version, commands, protection);
        BootTree.CopyScript("composefs-facts", tree + "/usr/libexec/composefs-facts");
        foreach ((string name, string script) in scripts)
            scratch.Write($"tree{version}/usr/libexec/{name}", "#!/bin/sh\n" + script + "\n");
        Tool.Shell("chmod 755 usr/libexec/*", tree).Ok();
        File.Delete(tree + "/usr/bin/chattr");
        File.Copy("/usr/bin/chattr", tree + "/usr/bin/chattr");
        SharedLibraries.Copy("/usr/bin/chattr", tree);
        scratch.Write($"tree{version}/usr/etc/hostname", $"mini-{version}\n");
        scratch.Write($"tree{version}/usr/etc/motto", $"of version {version}\n");
        scratch.Write($"tree{version}/usr/etc/removed", "by the owner\n");
        return tree;
    }

    /// <summary>An ed25519 key as ostree takes it: the secret one with the public one behind it, both in base64.</summary>
    private static (string Secret, string Public) MakeKey(ScratchDirectory scratch)
    {
        Tool.Run("openssl", "genpkey", "-algorithm", "ed25519", "-outform", "DER", "-out", scratch["key"]).Ok();
        byte[] seed = File.ReadAllBytes(scratch["key"])[^32..];
        byte[] key = Tool.Run("openssl", "pkey", "-inform", "DER", "-in", scratch["key"], "-pubout", "-outform", "DER").Ok().OutputBytes[^32..];
        return (Convert.ToBase64String([.. seed, .. key]), Convert.ToBase64String(key));
    }

    private BootStory Boot(BootDisk disk, ScratchDirectory scratch)
    {
        disk.Unmount();
        var story = VirtualMachine.Run(disk, registryPort: 9, scratch, VirtualMachine.Patience);
        Lap($"booted {story.Boots} times");
        output.WriteLine(story.Everything);
        disk.Mount();
        return story;
    }

    private void Lap(string what) => output.WriteLine($"{clock.ElapsedMilliseconds,7} ms: {what}");
}
