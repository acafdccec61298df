using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot.Tests;

/// <summary>A deployment of a tree that has an SELinux policy gets its labels, whatever this machine's kernel thinks of them.</summary>
public sealed class LabelTests : IDisposable
{
    private readonly TestSysroot sysroot = new();

    public void Dispose() => sysroot.Dispose();

    [Fact]
    public void Etc_var_origin_and_overlay_are_labelled()
    {
        Commit("v1", "mkdir -p usr/share/x; chmod 600 usr/etc/shadow; ln -s a usr/etc/link");
        sysroot.Shell("mkdir -p ostree/deploy/testos/var/lib/x; echo y >ostree/deploy/testos/var/lib/x/y; ln -s y ostree/deploy/testos/var/lib/x/z; mkfifo ostree/deploy/testos/var/fifo");
        Deployment deployment = sysroot.Deploy("v1");
        Assert.Empty(sysroot.Warnings);
        string root = deployment.Path;
        Assert.Equal("system_u:object_r:etc_t:s0", Label($"{root}/etc"));
        Assert.Equal("system_u:object_r:etc_t:s0", Label($"{root}/etc/a"));
        Assert.Equal("system_u:object_r:etc_t:s0", Label($"{root}/etc/conf.d"));
        Assert.Equal("system_u:object_r:etc_t:s0", Label($"{root}/etc/link"));
        Assert.Equal("system_u:object_r:shadow_t:s0", Label($"{root}/etc/shadow"));
        foreach (string path in (string[])["", "/lib", "/lib/x/y", "/lib/x/z", "/fifo", "/.ostree-selabeled"])
        {
            Assert.Equal("system_u:object_r:var_t:s0", Label("ostree/deploy/testos/var" + path));
        }
        Assert.Equal("system_u:object_r:etc_t:s0", Label($"{root}.origin"));
        Assert.Equal("system_u:object_r:root_t:s0", Label($"ostree/deploy/testos/backing/{deployment.Name}/root-transient/upper"));
        Assert.Equal("system_u:object_r:boot_t:s0", Label("boot/loader/entries/ostree-1.conf"));
        Assert.Equal("system_u:object_r:boot_t:s0", Label("boot/loader/entries"));
        // Hard links to objects keep what the commit says.
        Assert.Null(Label($"{root}/usr/bin/program"));
        Tool.Run("ostree", "fsck", "-q", $"--repo={sysroot["ostree/repo"]}").Ok();
    }

    [Fact]
    public void A_rewritten_origin_keeps_its_label()
    {
        Commit("v1");
        Deployment deployment = this.sysroot.Deploy("v1");
        using Sysroot sysroot = this.sysroot.Open();
        sysroot.SetPinned(sysroot.Deployments[0], true);
        Assert.Equal("system_u:object_r:etc_t:s0", Label($"{deployment.Path}.origin"));
    }

    [Fact]
    public void Var_is_labelled_once()
    {
        Commit("v1");
        Commit("v2");
        sysroot.Deploy("v1");
        sysroot.Shell("setfattr -n security.selinux -v the:owners:own:s0 ostree/deploy/testos/var/tmp; echo new >ostree/deploy/testos/var/new");
        sysroot.Deploy("v2");
        Assert.Equal("the:owners:own:s0", Label("ostree/deploy/testos/var/tmp"));
        Assert.Null(Label("ostree/deploy/testos/var/new"));
    }

    [Fact]
    public void A_system_that_comes_to_its_first_policy_is_labelled_then()
    {
        sysroot.Commit("v1", "1");
        Commit("v2");
        Deployment first = sysroot.Deploy("v1");
        Assert.Null(Label($"{first.Path}/etc/a"));
        Assert.Null(Label("ostree/deploy/testos/var/.ostree-selabeled"));
        sysroot.Shell($"cd {first.Path}/etc; echo mine >b; mkdir added; echo new >added/new; chmod 711 conf.d");
        Deployment second = sysroot.Deploy("v2");
        foreach (string path in (string[])["a", "b", "added", "added/new", "conf.d"])
        {
            Assert.Equal("system_u:object_r:etc_t:s0", Label($"{second.Path}/etc/{path}"));
        }
        Assert.Equal("system_u:object_r:var_t:s0", Label("ostree/deploy/testos/var/tmp"));
        Assert.Equal("system_u:object_r:var_t:s0", Label("ostree/deploy/testos/var/.ostree-selabeled"));
    }

    [Fact]
    public void The_administrators_policy_decides_what_is_made_after_the_merge()
    {
        Commit("v1");
        Commit("v2");
        Deployment first = sysroot.Deploy("v1");
        sysroot.Shell($"rm ostree/deploy/testos/var/.ostree-selabeled; echo '/var/tmp -d my:own:tmp_t:s0' >{first.Path}/etc/selinux/small/contexts/files/file_contexts.local");
        sysroot.Deploy("v2");
        Assert.Equal("my:own:tmp_t:s0", Label("ostree/deploy/testos/var/tmp"));
    }

    [Fact]
    public void Kernels_that_are_copied_get_the_label_of_boot()
    {
        sysroot.Shell("mkdir separate; mount -t tmpfs tmpfs separate; cp -a boot/. separate/; umount separate; mount -t tmpfs tmpfs boot");
        try
        {
            Commit("v1");
            Deployment deployment = sysroot.Deploy("v1");
            Assert.Equal("system_u:object_r:boot_t:s0", Label($"boot/ostree/testos-{deployment.BootChecksum}/vmlinuz-6.1.0"));
            Assert.Equal("system_u:object_r:boot_t:s0", Label($"boot/ostree/testos-{deployment.BootChecksum}"));
        }
        finally
        {
            sysroot.Shell("umount boot");
        }
    }

    [Fact]
    public void Who_does_without_labels_is_told_and_gets_them_with_the_next_deployment()
    {
        Commit("v1");
        Commit("v2");
        Tool.Run("ostree", "config", $"--repo={sysroot["ostree/repo"]}", "set", "oci-ostree.selinux", "false").Ok();
        Deployment first = sysroot.Deploy("v1");
        Assert.Contains("SELinux policy 'small' is not applied", Assert.Single(sysroot.Warnings.Distinct()), StringComparison.Ordinal);
        Assert.Null(Label($"{first.Path}/etc/a"));
        Assert.False(File.Exists(sysroot["ostree/deploy/testos/var/.ostree-selabeled"]));

        Tool.Run("ostree", "config", $"--repo={sysroot["ostree/repo"]}", "set", "oci-ostree.selinux", "true").Ok();
        sysroot.Deploy("v2");
        Assert.Equal("system_u:object_r:var_t:s0", Label("ostree/deploy/testos/var/tmp"));
    }

    [Fact]
    public void A_broken_policy_stops_its_own_deployment_and_no_other()
    {
        Commit("v1");
        Commit("v2");
        Commit("broken", "rm usr/etc/selinux/small/contexts/files/file_contexts");
        Deployment first = this.sysroot.Deploy("v1");
        Exception error = Assert.Throws<SysrootException>(() => this.sysroot.Deploy("broken"));
        while (error.InnerException is { } inner)
        {
            error = inner;
        }
        Assert.Contains("has no usr/etc/selinux/small/contexts/files/file_contexts", error.Message, StringComparison.Ordinal);

        Commit("fresh");
        using (Sysroot sysroot = this.sysroot.Open())
        {
            this.sysroot.Shell($"echo '/([ x' >{first.Path}/etc/selinux/small/contexts/files/file_contexts");
            Deployment deployed = sysroot.Deploy(new DeployRequest { Stateroot = TestSysroot.Stateroot, Commit = sysroot.Repo.ResolveRequired("fresh") });
            sysroot.AddDeployment(deployed, sysroot.Deployments[0], Retention.Default);
        }
        Assert.Contains(this.sysroot.Warnings, warning => warning.Contains("/boot get no SELinux labels", StringComparison.Ordinal));
    }

    /// <summary>The policy that the administrator has compiled comes with the old <c>/etc</c>, the modules that it is made of with the new tree.</summary>
    [Fact]
    public void A_policy_is_compiled_anew_in_the_deployment_after_the_merge()
    {
        const string programs = "cp /bin/busybox usr/bin/busybox; for name in sh cat grep touch; do ln -s busybox usr/bin/$name; done; ln -s usr/bin bin; mkdir -p usr/sbin; chmod 755 usr/sbin/semodule";
        const string semodule = """printf '#!/bin/sh\n[ "$*" != --help ] || { echo "  --refresh"; exit; }\necho "$*" >/etc/selinux/refreshed; cat /etc/b >>/etc/selinux/refreshed; [ ! -e /etc/fail ] || { echo broken module >&2; exit 4; }\n' >usr/sbin/semodule""";
        Commit("v1");
        Commit("v2", $"mkdir -p usr/sbin; {semodule}; {programs}");
        Commit("v3", $"mkdir -p usr/sbin; {semodule}; {programs}; touch usr/etc/fail");
        Deployment first = this.sysroot.Deploy("v1");
        this.sysroot.Shell($"echo merged >{first.Path}/etc/b");
        Deployment second = this.sysroot.Deploy("v2");
        Assert.Equal("-N --refresh\nmerged\n", File.ReadAllText(this.sysroot[$"{second.Path}/etc/selinux/refreshed"]));
        Assert.Contains("Refreshing SELinux policy", this.sysroot.Messages);

        SysrootException? error = Assert.Throws<SysrootException>(() => this.sysroot.Deploy("v3"));
        Assert.Equal(["Finalizing SELinux policy", "bwrap: exit code 4: broken module"], [error.InnerException!.Message, error.InnerException.InnerException!.Message]);
        using Sysroot sysroot = this.sysroot.Open(readOnly: true);
        Assert.Equal(second.Name, sysroot.Deployments[0].Name);
    }

    [Fact]
    public void What_an_installer_has_put_into_a_deployment_is_labelled_and_objects_are_not()
    {
        Commit("v1");
        Deployment deployment = this.sysroot.Deploy("v1");
        this.sysroot.Shell($"mkdir extra; echo x >extra/shadow; echo y >extra/own; setfattr -n security.selinux -v the:owners:own:s0 extra/own; echo z >{deployment.Path}/etc/late");
        var told = new List<string>();
        using Sysroot sysroot = this.sysroot.Open(readOnly: true);
        Assert.True(sysroot.EnsureLabelled(sysroot.Deployments[0], this.sysroot["extra"], "/etc", told.Add, (path, shown, label) => told.Add($"{System.IO.Path.GetFileName(path)} as {shown}: {label}")));
        Assert.Equal(["extra as /etc: system_u:object_r:etc_t:s0", "shadow as /etc/shadow: system_u:object_r:shadow_t:s0"], told[1..].Order());
        Assert.Equal("the:owners:own:s0", Label("extra/own"));
        Assert.True(sysroot.EnsureLabelled(sysroot.Deployments[0], null, "/", _ => { }, (_, _, _) => { }));
        Assert.Equal("system_u:object_r:etc_t:s0", Label($"{deployment.Path}/etc/late"));
        Assert.Null(Label($"{deployment.Path}/usr/bin/program"));
    }

    private void Commit(string branch, string edit = ":")
    {
        string policy = string.Join('\n', SmallPolicy.Files().Select(file => $"mkdir -p $(dirname {file.Key}); printf '%s' '{file.Value}' >{file.Key}"));
        sysroot.Commit(branch, "1", edit: $"{policy}\necho secret >usr/etc/shadow\n{edit}");
    }

    private string? Label(string path)
    {
        using LinuxDirectory directory = LinuxDirectory.Open(System.IO.Path.GetDirectoryName(sysroot[path])!);
        return Xattrs.Get(directory, System.IO.Path.GetFileName(path), "security.selinux") is { } value ? FileName.FromBytes(value.AsSpan().TrimEnd((byte)0)) : null;
    }
}
