using OciOstree.Repository;

namespace OciOstree.Sysroot.Tests;

public sealed class DeployTests : IDisposable
{
    private readonly TestSysroot sysroot = new();

    public void Dispose() => sysroot.Dispose();

    private string Read(string path) => File.ReadAllText(sysroot[path]);

    private string LinkOf(string path) => Tool.Run("readlink", sysroot[path]).Ok().OutputLine;

    [Fact]
    public void The_first_deployment_boots_by_what_ostree_would_write()
    {
        Checksum commit = sysroot.Commit("v1", "1.0");
        Deployment deployment = sysroot.Deploy("v1", Retention.Default, "root=LABEL=x", "quiet");

        Assert.Equal("loader.1", LinkOf("boot/loader"));
        Assert.Equal(".", LinkOf("boot/boot"));
        Assert.Equal("boot.1.1", LinkOf("ostree/boot.1"));
        string boot = $"/ostree/testos-{deployment.BootChecksum}";
        string link = $"ostree/boot.1/testos/{deployment.BootChecksum}/0";
        Assert.Equal($"../../../deploy/testos/deploy/{commit}.0", LinkOf(link));
        Assert.Equal(
            $"title Test OS 1.0 (ostree:0)\nversion 1\noptions root=LABEL=x quiet ostree=/{link}\nlinux {boot}/vmlinuz-6.1.0\ninitrd {boot}/initramfs-6.1.0.img\n",
            Read("boot/loader/entries/ostree-1.conf"));
        Assert.Equal("kernel 1\n", Read($"boot{boot}/vmlinuz-6.1.0"));
        Assert.Equal("[origin]\nrefspec=v1\n", Read($"ostree/deploy/testos/deploy/{commit}.0.origin"));
        Assert.Equal("default a of v1\n", Read($"{link}/etc/a"));
        Assert.Equal($"  testos {commit}.0\n    Version: 1.0\n    origin refspec: v1\n", sysroot.RealStatus());
        Assert.Contains("i", Tool.Run("lsattr", "-d", sysroot[deployment.Path]).Ok().Output.Split(' ')[0]);
        Assert.False(File.Exists(sysroot["ostree/lock"]), "the lock file stays behind");
    }

    [Fact]
    public void Etc_is_a_copy_that_edits_do_not_reach_through()
    {
        sysroot.Commit("v1", "1.0");
        Deployment deployment = sysroot.Deploy("v1");
        File.WriteAllText(sysroot[$"{deployment.Path}/etc/a"], "changed");
        Assert.Equal("default a of v1\n", Read($"{deployment.Path}/usr/etc/a"));
        Tool.Run("ostree", "fsck", "-q", $"--repo={sysroot["ostree/repo"]}").Ok();
    }

    [Fact]
    public void An_upgrade_carries_local_configuration_and_arguments_over()
    {
        this.sysroot.Commit("v1", "1.0");
        Checksum second = this.sysroot.Commit("v2", "2.0", kernel: "2");
        Deployment first = this.sysroot.Deploy("v1", Retention.Default, "root=x", "rw");
        this.sysroot.Shell($"cd {first.Path}/etc; echo mine > b; rm c; echo new > added; touch .updated ../../../var/.updated");
        Deployment deployed = this.sysroot.Deploy("v2");

        using Sysroot sysroot = this.sysroot.Open(readOnly: true);
        Assert.Equal([second, first.Commit], sysroot.Deployments.Select(d => d.Commit));
        string etc = $"{deployed.Path}/etc";
        Assert.Equal("default a of v2\n", Read($"{etc}/a"));
        Assert.Equal("mine\n", Read($"{etc}/b"));
        Assert.False(File.Exists(this.sysroot[$"{etc}/c"]));
        Assert.Equal("new\n", Read($"{etc}/added"));
        Assert.False(File.Exists(this.sysroot[$"{etc}/.updated"]));
        Assert.False(File.Exists(this.sysroot["ostree/deploy/testos/var/.updated"]));
        Assert.StartsWith("root=x rw ostree=", sysroot.Deployments[0].KernelArguments.ToString());
        Assert.Contains("Copying /etc changes: 1 modified, 1 removed, 2 added", this.sysroot.Messages);
        Assert.Equal("loader.0", LinkOf("boot/loader"));
    }

    [Fact]
    public void The_same_kernel_needs_no_new_boot_entries()
    {
        sysroot.Commit("v1", "1.0");
        sysroot.Commit("v2", "1.0");
        sysroot.Commit("v3", "1.0");
        sysroot.Deploy("v1");
        sysroot.Deploy("v2");
        string loader = LinkOf("boot/loader");
        sysroot.Deploy("v3");
        Assert.Equal(loader, LinkOf("boot/loader"));
        Assert.Contains("bootconfig swap: no", sysroot.Messages[^1]);
        Assert.Contains("program of v3", Read($"ostree/boot.0/testos/{Only("boot/ostree")["testos-".Length..]}/0/usr/bin/program"));
    }

    private string Only(string directory) => System.IO.Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(sysroot[directory])));

    [Fact]
    public void Old_deployments_kernels_and_objects_go_and_refs_hold_the_rest()
    {
        for (int i = 1; i <= 4; i++)
        {
            this.sysroot.Commit($"v{i}", $"{i}.0", kernel: $"{i}");
            this.sysroot.Deploy($"v{i}");
        }
        using Sysroot sysroot = this.sysroot.Open();
        Assert.Equal(2, sysroot.Deployments.Count);
        Assert.Equal(2, Directory.GetDirectories(this.sysroot["boot/ostree"]).Length);
        Assert.Equal(2, Directory.GetDirectories(this.sysroot["ostree/deploy/testos/deploy"]).Length);
        Assert.Equal(2, Directory.GetDirectories(this.sysroot["ostree/deploy/testos/backing"]).Length);
        Assert.Equal(2, Directory.GetFiles(this.sysroot["ostree/deploy/testos/deploy"]).Length);
        string prefix = $"ostree/{sysroot.BootVersion}/{sysroot.SubBootVersion}";
        Assert.Equal([$"{prefix}/0", $"{prefix}/1"], sysroot.Repo.ListRefs("ostree").Keys);
    }

    [Fact]
    public void Retention_rules_are_ostrees()
    {
        for (int i = 1; i <= 4; i++)
        {
            this.sysroot.Commit($"v{i}", $"{i}.0");
        }
        this.sysroot.Deploy("v1");
        this.sysroot.Deploy("v2", Retention.All);
        this.sysroot.Deploy("v3", Retention.All);
        Assert.Equal(["3.0", "2.0", "1.0"], Versions());
        this.sysroot.Deploy("v4", Retention.All | Retention.NotAsDefault);
        Assert.Equal(["3.0", "4.0", "2.0", "1.0"], Versions());
        using (Sysroot sysroot = this.sysroot.Open())
        {
            Assert.True(sysroot.SetPinned(sysroot.Deployments[3], true));
            Assert.False(sysroot.SetPinned(sysroot.Deployments[3], true));
        }
        this.sysroot.Deploy("v4");
        Assert.Equal(["4.0", "3.0", "1.0"], Versions());
        using (Sysroot sysroot = this.sysroot.Open())
        {
            Assert.True(sysroot.Deployments[2].IsPinned);
            sysroot.SetDefault(2);
            Assert.Equal("Out of range deployment index 7, expected < 3", Assert.Throws<SysrootException>(() => sysroot.Undeploy(7)).Message);
            sysroot.Undeploy(1);
        }
        Assert.Equal(["1.0", "3.0"], Versions());
    }

    private string[] Versions()
    {
        using Sysroot sysroot = this.sysroot.Open(readOnly: true);
        string[] versions = [.. sysroot.Deployments.Select(d => sysroot.VersionOf(d.Commit)!)];
        Assert.Equal(versions, this.sysroot.RealStatus().Split('\n').Where(l => l.Contains("Version:")).Select(l => l.Split(": ")[1]));
        return versions;
    }

    [Fact]
    public void Rollback_goes_back_and_forth()
    {
        this.sysroot.Commit("v1", "1.0");
        this.sysroot.Commit("v2", "2.0");
        this.sysroot.Deploy("v1");
        this.sysroot.Deploy("v2");
        using (Sysroot sysroot = this.sysroot.Open())
        {
            Assert.Equal("1.0", sysroot.VersionOf(sysroot.Rollback().Commit));
        }
        Assert.Equal(["1.0", "2.0"], Versions());
        using (Sysroot sysroot = this.sysroot.Open())
        {
            sysroot.Rollback();
        }
        Assert.Equal(["2.0", "1.0"], Versions());
    }

    [Fact]
    public void A_commit_deployed_twice_gets_a_serial_and_boot_serials_differ()
    {
        this.sysroot.Commit("v1", "1.0");
        this.sysroot.Deploy("v1");
        Deployment second = this.sysroot.Deploy("v1");
        Assert.Equal(1, second.Serial);
        using Sysroot sysroot = this.sysroot.Open(readOnly: true);
        Assert.Equal([0, 1], sysroot.Deployments.Select(d => d.BootSerial));
    }

    [Fact]
    public void Kernel_arguments_are_set_by_new_entries()
    {
        this.sysroot.Commit("v1", "1.0");
        this.sysroot.Deploy("v1", Retention.Default, "root=x");
        using (Sysroot sysroot = this.sysroot.Open())
        {
            sysroot.SetKernelArguments(sysroot.Deployments[0], ["root=y", "console=a", "console=b"]);
        }
        Assert.Contains("options root=y console=a console=b ostree=/ostree/boot.0/", Read("boot/loader/entries/ostree-1.conf"));
        Assert.Equal("loader.0", LinkOf("boot/loader"));
    }

    [Fact]
    public void The_first_deployments_var_fills_an_empty_stateroot_and_later_ones_do_not()
    {
        sysroot.Commit("v1", "1.0", edit: "echo seed > var/seed; mkdir -m 700 var/private; rm -r usr/lib/tmpfiles.d");
        sysroot.Commit("v2", "2.0", edit: "echo other > var/seed; echo x > var/more");
        sysroot.Deploy("v1");
        sysroot.Deploy("v2");
        Assert.Equal("seed\n", Read("ostree/deploy/testos/var/seed"));
        Assert.False(File.Exists(sysroot["ostree/deploy/testos/var/more"]));
        // A tree without tmpfiles.d gets the directories that ostree used to make.
        Assert.Equal("../run", LinkOf("ostree/deploy/testos/var/run"));
        Assert.Equal("1777", Tool.Run("stat", "-c", "%a", sysroot["ostree/deploy/testos/var/tmp"]).OutputLine);
    }

    [Theory]
    [InlineData("mkdir etc; echo x > etc/x", "Tree contains both /etc and /usr/etc")]
    [InlineData("rm usr/lib/modules/6.1.0/vmlinuz", "Failed to find kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot")]
    [InlineData("mkdir usr/lib/ostree; printf '[composefs]\\nenabled = perhaps\\n' > usr/lib/ostree/prepare-root.conf", "Checking out deployment tree")]
    public void A_tree_that_could_not_boot_leaves_all_as_it_was(string edit, string reason)
    {
        sysroot.Commit("v1", "1.0");
        sysroot.Commit("bad", "2.0", edit: edit);
        sysroot.Deploy("v1");
        string[] before = TreeSnapshot.Of(sysroot.Path);
        Exception e = Assert.Throws<SysrootException>(() => sysroot.Deploy("bad"));
        Assert.Equal(reason, e.InnerException?.Message);
        Assert.Equal(before, TreeSnapshot.Of(sysroot.Path));
    }

    [Fact]
    public void An_unknown_stateroot_and_bad_names_are_refused()
    {
        Checksum commit = this.sysroot.Commit("v1", "1.0");
        using Sysroot sysroot = this.sysroot.Open();
        Exception e = Assert.Throws<SysrootException>(() => sysroot.Deploy(new DeployRequest { Stateroot = "nope", Commit = commit }));
        Assert.Equal("No such stateroot: nope", e.InnerException?.Message);
        foreach (string name in new[] { "", ".", "..", "a/b", "a b", "a\nb" })
        {
            Assert.StartsWith("Invalid stateroot name", Assert.Throws<SysrootException>(() => sysroot.InitializeStateroot(name)).Message);
        }
        Assert.Throws<SysrootException>(() => sysroot.InitializeStateroot("testos"));
    }

    [Fact]
    public void Two_stateroots_are_named_in_titles_and_keep_to_themselves()
    {
        this.sysroot.Commit("v1", "1.0");
        this.sysroot.Deploy("v1");
        using (Sysroot sysroot = this.sysroot.Open())
        {
            sysroot.InitializeStateroot("other");
            Deployment other = sysroot.Deploy(new DeployRequest { Stateroot = "other", Commit = sysroot.Repo.ResolveRequired("v1"), Origin = Origin.FromRefspec("v1") });
            sysroot.AddDeployment(other);
        }
        Assert.Contains("title Test OS 1.0 (ostree:other:0)\n", Read("boot/loader/entries/ostree-2.conf"));
        Assert.Contains("title Test OS 1.0 (ostree:testos:1)\n", Read("boot/loader/entries/ostree-1.conf"));
        this.sysroot.RealStatus();
    }

    [Fact]
    public void Odd_trees_get_the_entries_that_they_need()
    {
        sysroot.Commit("v1", "1.0", edit: "rm usr/lib/modules/6.1.0/initramfs.img; mkdir usr/lib/modules/6.1.0/dtb; echo d > usr/lib/modules/6.1.0/dtb/board.dtb");
        sysroot.Shell("printf '[sysroot]\\nbootprefix=true\\n' >> ostree/repo/config");
        Deployment deployment = sysroot.Deploy("v1");
        string entry = Read("boot/loader/entries/ostree-1.conf");
        Assert.Contains($"linux /boot/ostree/testos-{deployment.BootChecksum}/vmlinuz-6.1.0\n", entry);
        Assert.Contains($"fdtdir /boot/ostree/testos-{deployment.BootChecksum}/dtb\n", entry);
        Assert.Contains($"init=/ostree/boot.1/testos/{deployment.BootChecksum}/0/usr/lib/ostree/ostree-prepare-root ", entry);
        Assert.DoesNotContain("initrd", entry);
        Assert.Equal("d\n", Read($"boot/ostree/testos-{deployment.BootChecksum}/dtb/board.dtb"));
    }

    [Fact]
    public void Boot_counting_names_entries_by_their_tries()
    {
        sysroot.Commit("v1", "1.0");
        sysroot.Commit("v2", "2.0");
        sysroot.Shell("printf '[sysroot]\\nboot-counting-tries=3\\n' >> ostree/repo/config");
        sysroot.Deploy("v1");
        Assert.Equal("ostree-1+3.conf", Only("boot/loader/entries"));
        sysroot.Shell("mv boot/loader/entries/ostree-1+3.conf boot/loader/entries/ostree-1+2-1.conf");
        sysroot.Deploy("v2");
        Assert.Equal(["ostree-1+2-1.conf", "ostree-2+3.conf"], Directory.GetFiles(sysroot["boot/loader/entries"]).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void On_EFI_the_configuration_changes_after_what_it_names_and_back_with_it()
    {
        sysroot.Commit("v1", "1.0");
        sysroot.Commit("v2", "2.0", kernel: "2");
        sysroot.Shell("printf '[sysroot]\\nbootloader=grub2\\n' >> ostree/repo/config; mkdir -p boot/efi/EFI/vendor; echo first > boot/efi/EFI/vendor/grub.cfg");
        const string config = "boot/efi/EFI/vendor/grub.cfg", rename = $"rename {config}.new to {config}";
        List<string> changes = [];
        Deployed("v1", changes.Add);
        string before = Read(config);
        Assert.Contains("menuentry 'Test OS 1.0 (ostree:0)'", before);
        int renamed = changes.IndexOf(rename);
        Assert.StartsWith("sync ", changes[renamed - 1]);
        Assert.True(changes.FindLastIndex(renamed, change => change.StartsWith("install ", StringComparison.Ordinal)) < changes.FindIndex(change => change.StartsWith("sync ", StringComparison.Ordinal)));

        bool isReplaced = false;
        Assert.ThrowsAny<Exception>(() => Deployed("v2", change =>
        {
            if (isReplaced && change == "symlink loader.tmp.tmp")
            {
                throw new IOException("no more");
            }
            isReplaced |= change == rename;
        }));
        Assert.True(isReplaced);
        Assert.Equal(before, Read(config));

        void Deployed(string branch, Action<string> hook)
        {
            using Sysroot opened = sysroot.Open();
            FaultPoint.Set(hook);
            try
            {
                TestSysroot.Deploy(opened, branch);
            }
            finally
            {
                FaultPoint.Set(null);
            }
        }
    }

    [Fact]
    public void A_sysroot_with_broken_links_says_what_is_wrong()
    {
        sysroot.Commit("v1", "1.0");
        sysroot.Deploy("v1");
        void broken(string script, string expected)
        {
            string copy = sysroot.Copy("broken");
            Tool.Shell(script, copy).Ok();
            string message = Chain(Assert.Throws<SysrootException>(() => sysroot.Open(readOnly: true, copy).Dispose()));
            Assert.Contains(expected, message);
        }
        broken("ln -sfn elsewhere boot/loader", "Invalid target 'elsewhere' in boot/loader");
        broken("rm boot/loader; mkdir boot/loader", "Not a symbolic link: boot/loader");
        broken("ln -sfn nowhere ostree/boot.1", "Invalid target 'nowhere' in ostree/boot.1");
        broken("rm -r ostree/boot.1.1", "No such file or directory");
        broken("sed -i 's/ostree=.*//' boot/loader/entries/*", "No ostree= kernel argument found");
        broken("sed -i 's,ostree=/ostree,ostree=/../../etc,' boot/loader/entries/*", "Invalid ostree= argument");
        broken("printf '\\377\\n' > boot/loader/entries/ostree-1.conf", "not valid UTF-8");
        broken("sed -i 's/bootloader=.*//; $a[sysroot]\\nbootloader=lilo' ostree/repo/config", "Invalid bootloader configuration: 'lilo'");
        broken("rm -rf ostree", "No such file or directory");
    }

    private static string Chain(Exception? e)
    {
        string message = "";
        for (; e is not null; e = e.InnerException)
        {
            message += e.Message + ": ";
        }
        return message;
    }

    [Fact]
    public void The_lock_keeps_the_real_program_out_and_waits_for_it()
    {
        using (Sysroot sysroot = this.sysroot.Open())
        {
            ToolResult blocked = Tool.Shell($"timeout 3 ostree admin cleanup --sysroot={this.sysroot.Path} || echo gave up", this.sysroot.Path);
            Assert.Contains("Waiting for sysroot lock", blocked.Output);
            Assert.Contains("gave up", blocked.Output);
        }
        Tool.Run("ostree", "admin", "cleanup", $"--sysroot={this.sysroot.Path}").Ok();
        int waits = 0;
        using Sysroot holder = this.sysroot.Open();
        var second = new Thread(() => Sysroot.Open(this.sysroot.Path, new SysrootOptions { WaitingForLock = () => Interlocked.Increment(ref waits) }).Dispose());
        second.Start();
        SpinWait.SpinUntil(() => Volatile.Read(ref waits) > 0, TimeSpan.FromMinutes(1));
        holder.Dispose();
        Assert.True(second.Join(TimeSpan.FromMinutes(1)));
        Assert.Equal(1, waits);
    }
}
