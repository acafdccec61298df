using OciOstree.Linux;

namespace OciOstree.Sysroot.Tests;

public sealed class EtcMergeTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("etc-merge");

    public EtcMergeTests()
    {
        scratch.MakeDirectory("base");
        scratch.MakeDirectory("ours");
        scratch.MakeDirectory("new");
    }

    public void Dispose() => scratch.Dispose();

    /// <summary>A file that the old tree, the machine and the new tree have in common.</summary>
    private void Everywhere(string name, string content)
    {
        foreach (string tree in new[] { "base", "ours", "new" })
        {
            scratch.Write($"{tree}/{name}", content);
        }
    }

    private EtcDiff Compare()
    {
        using LinuxDirectory a = LinuxDirectory.Open(scratch["base"]);
        using LinuxDirectory b = LinuxDirectory.Open(scratch["ours"]);
        return EtcMerge.Compare(a, b);
    }

    private EtcDiff Merge()
    {
        EtcDiff diff = Compare();
        using LinuxDirectory ours = LinuxDirectory.Open(scratch["ours"]);
        using LinuxDirectory theirs = LinuxDirectory.Open(scratch["new"]);
        EtcMerge.Apply(diff, ours, theirs);
        return diff;
    }

    private string Read(string name) => File.ReadAllText(scratch[$"new/{name}"]);

    private void Shell(string script) => Tool.Shell(script, scratch.Path).Ok();

    [Fact]
    public void What_nobody_touched_follows_the_new_tree()
    {
        Everywhere("same", "old");
        scratch.Write("new/same", "new default");
        scratch.Write("new/added-by-tree", "x");
        EtcDiff diff = Merge();
        Assert.Empty(diff.Modified.Concat(diff.Added).Concat(diff.Removed));
        Assert.Equal("new default", Read("same"));
        Assert.Equal("x", Read("added-by-tree"));
    }

    [Fact]
    public void Local_changes_win_over_the_new_tree()
    {
        Everywhere("conf.d/a", "default");
        scratch.Write("ours/conf.d/a", "mine");
        scratch.Write("new/conf.d/a", "theirs");
        EtcDiff diff = Merge();
        Assert.Equal(["conf.d/a"], diff.Modified);
        Assert.Equal("mine", Read("conf.d/a"));
    }

    [Fact]
    public void Removed_stays_removed_and_added_is_added_with_all_below()
    {
        Everywhere("gone", "x");
        Everywhere("gone-dir/x", "x");
        scratch.Write("ours/my/deep/file", "mine");
        Shell("rm -r ours/gone ours/gone-dir; chmod 750 ours/my; chown 12:34 ours/my; ln -s nowhere ours/my/link");
        EtcDiff diff = Merge();
        Assert.Equal(["gone", "gone-dir"], diff.Removed);
        Assert.Equal(["my", "my/deep", "my/deep/file", "my/link"], diff.Added);
        Assert.False(Directory.Exists(scratch["new/gone-dir"]));
        Assert.Equal("mine", Read("my/deep/file"));
        Assert.Equal("750 12 34", Tool.Run("stat", "-c", "%a %u %g", scratch["new/my"]).OutputLine);
        Assert.Equal("nowhere", Tool.Run("readlink", scratch["new/my/link"]).OutputLine);
    }

    [Theory]
    [InlineData("chmod 4711 ours/f")]
    [InlineData("chown 7:8 ours/f")]
    [InlineData("setfattr -n user.k -v v ours/f")]
    [InlineData("printf longer > ours/f")]
    [InlineData("printf FILE > ours/f")]
    [InlineData("rm ours/f; ln -s target ours/f")]
    [InlineData("rm ours/f; mkdir -m 711 ours/f; echo x > ours/f/x")]
    public void Every_kind_of_change_is_seen_and_carried_over(string change)
    {
        Everywhere("f", "file");
        Everywhere("g", "file");
        Shell(change);
        EtcDiff diff = Merge();
        Assert.Contains("f", diff.Modified);
        Assert.DoesNotContain("g", diff.Modified);
        string describe(string tree) => Tool.Shell($"cd {tree}; find f -printf '%p %y %m %U %G %l\\n' | sort; getfattr -R -d -m user. f; find f -type f -exec cat {{}} +", scratch.Path).Output;
        Assert.Equal(describe("ours"), describe("new"));
    }

    [Fact]
    public void A_changed_label_is_policys_business()
    {
        Everywhere("f", "file");
        Shell("setfattr -n security.selinux -v system_u:object_r:etc_t:s0 ours/f");
        Assert.Empty(Compare().Modified);
    }

    [Fact]
    public void A_directorys_mode_and_owner_are_kept()
    {
        Everywhere("secret/key", "k");
        Shell("chmod 700 ours/secret; chown 5:6 ours/secret");
        Assert.Equal(["secret"], Merge().Modified);
        Assert.Equal("700 5 6", Tool.Run("stat", "-c", "%a %u %g", scratch["new/secret"]).OutputLine);
    }

    [Fact]
    public void A_file_where_the_new_tree_has_a_directory_is_refused()
    {
        Everywhere("thing", "x");
        scratch.Write("ours/thing", "changed");
        Shell("rm new/thing; mkdir new/thing");
        Assert.Equal("Modified config file newly defaults to directory 'thing', cannot merge", Assert.Throws<SysrootException>(() => Merge()).Message);
    }

    [Fact]
    public void A_local_directory_where_the_new_tree_has_a_file_replaces_it()
    {
        scratch.Write("ours/app/x", "x");
        scratch.Write("new/app", "now a file");
        Merge();
        Assert.Equal("x", Read("app/x"));
    }

    [Fact]
    public void A_change_below_a_directory_that_the_new_tree_dropped_brings_it_back()
    {
        Everywhere("old/sub/f", "x");
        scratch.Write("ours/old/sub/f", "mine");
        Shell("rm -r new/old; chmod 701 ours/old/sub");
        Merge();
        Assert.Equal("mine", Read("old/sub/f"));
        Assert.Equal("701", Tool.Run("stat", "-c", "%a", scratch["new/old/sub"]).OutputLine);
    }

    [Fact]
    public void Sockets_fifos_and_devices_that_were_added_are_named_and_left_out()
    {
        scratch.Write("new/sock2", "a new default");
        Shell("mkfifo ours/pipe; mkdir ours/d; mknod ours/d/null c 1 3; python3 -c 'import socket; [socket.socket(socket.AF_UNIX).bind(f\"ours/{name}\") for name in (\"sock\", \"sock2\")]'");
        EtcDiff diff = Merge();
        Assert.Equal(["d/null", "pipe", "sock", "sock2"], diff.Unsupported.Order());
        Assert.Equal(["d", "sock2"], Tool.Shell("ls new", scratch.Path).OutputLines);
        Assert.Equal("a new default", Read("sock2"));
    }

    [Fact]
    public void A_default_that_was_replaced_by_a_node_stays_replaced()
    {
        Everywhere("masked", "x");
        Everywhere("whiteout", "x");
        Everywhere("disk", "x");
        Everywhere("pipe", "x");
        Everywhere("sub/sock", "x");
        scratch.Write("new/masked", "changed default");
        Shell("cd ours; rm masked whiteout disk pipe sub/sock; mknod -m 644 masked c 1 3; mknod -m 0 whiteout c 0 0; mknod -m 600 disk b 259 70000; mkfifo -m 620 pipe; chown 3:4 pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sub/sock\")'");
        EtcDiff diff = Merge();
        Assert.Equal(["sub/sock"], diff.Unsupported);
        string describe(string tree) => Tool.Shell($"cd {tree}; stat -c '%n %F %a %u %g %t %T' masked whiteout disk pipe; ls sub", scratch.Path).Ok().Output;
        Assert.Equal(describe("ours").Replace("sock\n", "", StringComparison.Ordinal), describe("new"));
    }

    [Fact]
    public void Names_that_are_not_text_and_times_survive()
    {
        Shell("printf x > $'ours/na\\xffme'; touch -d @1000000000.5 $'ours/na\\xffme'; mkdir $'ours/d\\xfe'; printf y > $'ours/d\\xfe/z'");
        Merge();
        Assert.Equal("x", Tool.Shell("cat $'new/na\\xffme'", scratch.Path).Output);
        Assert.Equal("1000000000.5000000000", Tool.Shell("stat -c %.10Y $'new/na\\xffme'", scratch.Path).OutputLine);
        Assert.Equal("y", Tool.Shell("cat $'new/d\\xfe/z'", scratch.Path).Output);
    }

    [Fact]
    public void Large_files_are_compared_to_their_end()
    {
        Shell("head -c 300000 /dev/zero > base/big; cp base/big ours/big; printf x | dd of=ours/big bs=1 seek=299999 conv=notrunc status=none; head -c 65536 /dev/zero > base/b; cp base/b ours/b");
        Assert.Equal(["big"], Compare().Modified);
    }

    [Theory]
    [InlineData("echo kept > ours/d/f; rm ours/d/gone")]
    [InlineData("rm ours/d/gone")]
    [InlineData("echo mine > ours/d/sub/f")]
    public void What_a_link_of_the_new_tree_leads_to_is_left_alone(string change)
    {
        // The machine's own files, where /etc's defaults of one tree are a directory and those of the next a link to it.
        Shell("mkdir -p base/d/sub victim/sub; for f in f gone sub/f; do echo default > base/d/$f; echo precious > victim/$f; done; cp -a base/. ours; ln -s \"$PWD/victim\" new/d");
        Shell(change);
        Record.Exception(() => Merge());
        Assert.Equal("precious\nprecious\nprecious\n", Tool.Shell("cat victim/f victim/gone victim/sub/f; ls -A victim/sub | grep -v '^f$' || true", scratch.Path).Ok().Output);
        using LinuxDirectory old = LinuxDirectory.Open(scratch["base"]), ours = LinuxDirectory.Open(scratch["ours"]), theirs = LinuxDirectory.Open(scratch["new"]);
        Assert.DoesNotContain(EtcMergePlan.Make(old, ours, theirs).Choices, choice => choice.Fate is EtcFate.Removed or EtcFate.Kept);
    }
}
