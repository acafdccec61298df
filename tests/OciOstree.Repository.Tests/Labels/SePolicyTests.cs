using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

public class SePolicyTests
{
    private const uint RegularFile = 0x81A4, Directory = 0x41ED;

    [Theory]
    [InlineData("usr/etc")]
    [InlineData("etc")]
    public void A_directory_and_a_commit_of_it_have_the_same_policy(string etc)
    {
        using var scratch = new ScratchDirectory();
        SmallPolicy.Write(scratch, "tree", etc);
        using LinuxDirectory root = LinuxDirectory.Open(scratch["tree"]);
        using SePolicy policy = SePolicy.Load(root)!;
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        using SePolicy committed = SePolicy.Load(repo, OurCommit.Directory(repo, scratch["tree"]))!;
        Assert.Equal("small", policy.Name);
        Assert.Equal("small", committed.Name);
        Assert.Equal(Checksum.Compute("binary"u8), policy.Checksum);
        Assert.Equal(policy.Checksum, committed.Checksum);
        Assert.Equal(policy.LabelsDigest, committed.LabelsDigest);
        foreach (SePolicy each in (SePolicy[])[policy, committed])
        {
            Assert.Equal("system_u:object_r:root_t:s0", each.Label("/", Directory));
            Assert.Equal("system_u:object_r:bin_t:s0", each.Label("/usr/bin/sh", RegularFile));
            Assert.Equal("system_u:object_r:usr_t:s0", each.Label("/usr/etc/shadow", RegularFile));
            Assert.Equal("system_u:object_r:shadow_t:s0", each.LabelDefaultsAsEtc("/usr/etc/shadow", RegularFile));
            Assert.Equal("system_u:object_r:usr_t:s0", each.LabelDefaultsAsEtc("/usr/etcetera", RegularFile));
            Assert.Equal(each.Label("/mnt", Directory), each.Label("/proc", Directory));
            Assert.Null(each.Label("/run/x", RegularFile));
        }
    }

    [Fact]
    public void No_policy_and_a_disabled_one_are_none()
    {
        using var scratch = new ScratchDirectory();
        scratch.MakeDirectory("tree/etc");
        using LinuxDirectory root = LinuxDirectory.Open(scratch["tree"]);
        Assert.Null(SePolicy.Load(root));
        SmallPolicy.Write(scratch, "tree", "etc", mode: "disabled");
        Assert.Null(SePolicy.Load(root));
        SmallPolicy.Write(scratch, "tree", "etc", mode: "Permissive");
        using SePolicy? policy = SePolicy.Load(root);
        Assert.NotNull(policy);
    }

    [Fact]
    public void The_local_etc_goes_before_the_defaults()
    {
        using var scratch = new ScratchDirectory();
        SmallPolicy.Write(scratch, "tree");
        SmallPolicy.Write(scratch, "tree", "etc", contexts: SmallPolicy.Contexts + "/opt(/.*)?	a:b:local_t:s0\n");
        using LinuxDirectory root = LinuxDirectory.Open(scratch["tree"]);
        using SePolicy policy = SePolicy.Load(root)!;
        Assert.Equal("a:b:local_t:s0", policy.Label("/opt/x", RegularFile));
    }

    [Fact]
    public void The_digest_tells_policies_apart_that_label_differently()
    {
        using var scratch = new ScratchDirectory();
        SmallPolicy.Write(scratch, "one");
        SmallPolicy.Write(scratch, "two", contexts: SmallPolicy.Contexts + "/opt(/.*)?	a:b:c_t:s0\n");
        SmallPolicy.Write(scratch, "three");
        scratch.Write("three/usr/etc/selinux/small/policy/policy.33", "another");
        scratch.Write("three/usr/etc/selinux/small/contexts/files/file_contexts.bin", "not read");
        Checksum Digest(string name)
        {
            using LinuxDirectory root = LinuxDirectory.Open(scratch[name]);
            return SePolicyFiles.Find(root)!.LabelsDigest;
        }
        Assert.NotEqual(Digest("one"), Digest("two"));
        Assert.Equal(Digest("one"), Digest("three"));
    }

    [Theory]
    [InlineData("rm usr/etc/selinux/small/contexts/files/file_contexts", "has no usr/etc/selinux/small/contexts/files/file_contexts")]
    [InlineData("rm usr/etc/selinux/small/policy/*", "no binary policy")]
    [InlineData(": > usr/etc/selinux/small/contexts/files/file_contexts", "has no label for /")]
    [InlineData("head -c 5000 /dev/urandom > usr/etc/selinux/small/contexts/files/file_contexts", "file_contexts: Invalid argument")]
    [InlineData("echo '/ -d x([' > usr/etc/selinux/small/contexts/files/file_contexts.local; echo '/x([ a:b:c:d' >> usr/etc/selinux/small/contexts/files/file_contexts", "cannot label /usr/x: Invalid argument")]
    [InlineData("echo SELINUXTYPE=../../../x >> usr/etc/selinux/config", "names no policy")]
    [InlineData("echo SELINUXTYPE= >> usr/etc/selinux/config", "names no policy")]
    [InlineData("sed -i /TYPE/d usr/etc/selinux/config", "names no policy")]
    [InlineData("truncate -s 2G usr/etc/selinux/config", "config")]
    [InlineData("truncate -s 2G usr/etc/selinux/small/contexts/files/file_contexts.homedirs", "homedirs")]
    [InlineData("cd usr/etc/selinux/small/contexts/files; rm file_contexts; ln -s file_contexts file_contexts", "file_contexts")]
    [InlineData("cd usr/etc/selinux/small/contexts/files; rm file_contexts; mkfifo file_contexts", "has no usr/etc/selinux/small/contexts/files/file_contexts")]
    public void A_broken_policy_is_an_error(string breaking, string expected)
    {
        using var scratch = new ScratchDirectory();
        SmallPolicy.Write(scratch, "tree");
        Tool.Shell(breaking, scratch["tree"]).Ok();
        using LinuxDirectory root = LinuxDirectory.Open(scratch["tree"]);
        AssertFails(() => SePolicy.Load(root));
        if (breaking.Contains("mkfifo", StringComparison.Ordinal) || breaking.Contains("2G", StringComparison.Ordinal))
            return;
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Bare);
        Checksum commit = OurCommit.Directory(repo, scratch["tree"]);
        AssertFails(() => SePolicy.Load(repo, commit));

        void AssertFails(Func<SePolicy?> load)
        {
            var error = Assert.ThrowsAny<RepositoryException>(() =>
            {
                using SePolicy? policy = load();
                policy!.Label("/usr/x", RegularFile);
            });
            string message = "";
            for (Exception? e = error; e is not null; e = e.InnerException)
                message += e.Message + ": ";
            Assert.Contains(expected, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void Links_are_followed_in_the_tree_and_not_out_of_it()
    {
        using var scratch = new ScratchDirectory();
        SmallPolicy.Write(scratch, "tree");
        Tool.Shell("""
            mkdir -p usr/share
            mv usr/etc/selinux/small/contexts/files/file_contexts usr/etc/contexts
            ln -s ../../../../../../../../../../../../usr/etc/contexts usr/etc/selinux/small/contexts/files/file_contexts
            mv usr/etc/selinux/small usr/share/small
            ln -s /usr/share/small usr/etc/selinux/small
            """, scratch["tree"]).Ok();
        using LinuxDirectory root = LinuxDirectory.Open(scratch["tree"]);
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Bare);
        using SePolicy onDisk = SePolicy.Load(root)!;
        using SePolicy stored = SePolicy.Load(repo, OurCommit.Directory(repo, scratch["tree"]))!;
        Assert.Equal("system_u:object_r:bin_t:s0", onDisk.Label("/usr/bin/x", RegularFile));
        Assert.Equal("system_u:object_r:bin_t:s0", stored.Label("/usr/bin/x", RegularFile));
        Assert.Equal(onDisk.LabelsDigest, stored.LabelsDigest);

        // A policy that is on this machine, but not in the tree.
        SmallPolicy.Write(scratch, "elsewhere");
        Tool.Shell($"ln -sfn {scratch["elsewhere"]}/usr/etc/selinux/small usr/etc/selinux/small", scratch["tree"]).Ok();
        Assert.Contains("has no", Assert.ThrowsAny<RepositoryException>(() => SePolicy.Load(root)).Message, StringComparison.Ordinal);
        Checksum without = OurCommit.Directory(repo, scratch["tree"]);
        Assert.Contains("has no", Assert.ThrowsAny<RepositoryException>(() => SePolicy.Load(repo, without)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compiled_expressions_are_not_read()
    {
        using var scratch = new ScratchDirectory();
        SmallPolicy.Write(scratch, "tree");
        // What this claims in its header makes libselinux's reader of compiled files fail.
        File.WriteAllBytes(scratch["tree/usr/etc/selinux/small/contexts/files/file_contexts.bin"], [0x8a, 0xff, 0x7c, 0xf9, 5, 0, 0, 0, .. Encoding.ASCII.GetBytes(new string('x', 4000))]);
        using LinuxDirectory root = LinuxDirectory.Open(scratch["tree"]);
        using SePolicy policy = SePolicy.Load(root)!;
        Assert.Equal("system_u:object_r:bin_t:s0", policy.Label("/usr/bin/sh", RegularFile));
    }
}
