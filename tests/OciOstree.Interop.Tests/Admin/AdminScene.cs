namespace OciOstree.Interop.Tests.Admin;

/// <summary>A repository with versions of a small bootable tree, and sysroots made from it by either program.</summary>
internal sealed class AdminScene : IDisposable
{
    public const int Versions = 5;
    private readonly ScratchDirectory scratch = new("admin");

    public AdminScene()
    {
        Tool.Run("ostree", "init", "--mode=bare", $"--repo={scratch["repo"]}").Ok();
        for (int version = 1; version <= Versions; version++)
        {
            string tree = scratch.MakeDirectory($"tree{version}");
            // Versions 1 and 2 share their kernel, 2 and 3 also the version that titles show.
            Tool.Shell($$"""
                mkdir -p usr/{bin,lib/modules/6.1.0,etc/{conf.d,sub/deep},lib/tmpfiles.d} var/tmp sysroot boot run proc sys dev
                ln -sfn sysroot/ostree ostree
                chmod 1777 var/tmp
                printf 'PRETTY_NAME="Test OS"\nID=testos\n' > usr/lib/os-release
                echo "program {{version}}" > usr/bin/program
                for name in a b c d sub/e sub/deep/f; do echo "default $name $(( {{version}} / 2 ))" > usr/etc/$name; done
                echo "only in {{version}}" > usr/etc/only{{version}}
                chmod 640 usr/etc/c; chown 3:4 usr/etc/c; ln -s a usr/etc/link
                echo kernel {{version / 3}} > usr/lib/modules/6.1.0/vmlinuz
                echo initrd {{version / 3}} > usr/lib/modules/6.1.0/initramfs.img
                """, tree).Ok();
            Tool.Run("ostree", "commit", $"--repo={scratch["repo"]}", "-b", $"os/v{version}", $"--tree=dir={tree}", $"--add-metadata-string=version={(version == 3 ? 2 : version)}",
                "--timestamp=2024-01-01 00:00:00 UTC").Ok();
        }
    }

    public string this[string name] => scratch[name];

    /// <summary>Makes a sysroot with all versions in its repository, by the program itself.</summary>
    public void MakeSysroot(string name, AdminProgram program)
    {
        Directory.CreateDirectory(this[name]);
        program.Run("init-fs", "--modern", this[name]).Ok();
        Tool.Run("ostree", "config", $"--repo={this[name]}/ostree/repo", "set", "core.fsync", "false").Ok();
        foreach (string stateroot in new[] { "testos", "other" })
        {
            program.Run("os-init", $"--sysroot={this[name]}", stateroot).Ok();
        }
        string[] branches = [.. Enumerable.Range(1, Versions).Select(version => $"os/v{version}")];
        Tool.Run("ostree", ["pull-local", $"--repo={this[name]}/ostree/repo", this["repo"], .. branches]).Ok();
    }

    /// <summary>
    /// All that a boot goes through and all that ostree keeps, except where versions of ostree differ by design: the stateroots' var (filled at another time since 2024.3)
    /// the backing directories (new in 2024) and the composefs images (not in Debian 12's).
    /// </summary>
    public string Snapshot(string name) => Tool.Shell("""
        skip='( -path ostree/repo -o -path ostree/deploy ) -prune -o'
        find boot ostree $skip -printf '%p %y %m %U %G %l\n' | LC_ALL=C sort
        find boot ostree $skip -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
        deployed=$(ls -d ostree/deploy/*/deploy)
        find $deployed ! -name .ostree.cfs -printf '%p %y %m %U %G %l\n' | LC_ALL=C sort
        find $deployed -type f ! -name .ostree.cfs -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
        lsattr -d ostree/deploy/*/deploy/*.[0-9] 2>/dev/null | sed 's/ .*deploy/ /' || true
        ostree refs --repo=ostree/repo | LC_ALL=C sort | while read -r ref; do echo "$ref $(ostree rev-parse --repo=ostree/repo "$ref")"; done
        find ostree/repo/objects -type f -printf '%f\n' | LC_ALL=C sort | sha256sum
        """, this[name]).Ok().Output;

    public void Dispose()
    {
        Tool.Shell($"chattr -f -i {scratch.Path}/*/ostree/deploy/*/deploy/*.[0-9] || true");
        scratch.Dispose();
    }
}

/// <summary>One of the two programs that the other is compared with.</summary>
internal sealed record AdminProgram(string Path)
{
    public static AdminProgram Real { get; } = new("ostree");

    public static AdminProgram Ours { get; } = new(OurProgram.Path("ostree"));

    // The installed ostree is of before 2024.5, when entries' file names lost the stateroot.
    public ToolResult Run(params string[] arguments) => Tool.Run(
        new ToolStart(Path) { Environment = new Dictionary<string, string?> { ["OSTREE_SYSROOT_OPTS"] = "bootloader-naming-1,skip-sync" } }, ["admin", .. arguments]);
}
