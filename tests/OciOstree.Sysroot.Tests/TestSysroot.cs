using OciOstree.Repository;

namespace OciOstree.Sysroot.Tests;

/// <summary>A sysroot in a scratch directory, with commits of a tree too small to run but complete enough to deploy.</summary>
internal sealed class TestSysroot : IDisposable
{
    public const string Stateroot = "testos";
    private readonly ScratchDirectory scratch = new("sysroot");

    public TestSysroot()
    {
        Path = scratch.MakeDirectory("root");
        Sysroot.Initialize(Path, epoch: 1);
        Tool.Run("ostree", "config", $"--repo={this["ostree/repo"]}", "set", "core.fsync", "false").Ok();
        using Sysroot sysroot = Open();
        sysroot.InitializeStateroot(Stateroot);
    }

    public string Path { get; }

    public List<string> Messages { get; } = [];

    public List<string> Warnings { get; } = [];

    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    public Sysroot Open(bool readOnly = false, string? path = null) => Sysroot.Open(path ?? Path, new SysrootOptions
    {
        ReadOnly = readOnly,
        Message = Messages.Add,
        Warning = Warnings.Add,
    });

    /// <summary>Commits a tree and returns its checksum. Trees with one <paramref name="kernel"/> share a boot checksum; null leaves it out.</summary>
    public Checksum Commit(string branch, string version, string? kernel = "1", string edit = ":")
    {
        string tree = scratch.MakeDirectory($"tree-{branch}");
        Tool.Shell($$"""
            mkdir -p usr/{bin,lib/modules/6.1.0,etc/conf.d,lib/tmpfiles.d} var/tmp sysroot boot run proc sys dev
            ln -sfn sysroot/ostree ostree
            chmod 1777 var/tmp
            printf 'PRETTY_NAME="Test OS"\nID=testos\n' > usr/lib/os-release
            echo "program of {{branch}}" > usr/bin/program
            for name in a b c; do echo "default $name of {{branch}}" > usr/etc/$name; done
            echo x > usr/etc/conf.d/x
            {{(kernel is null ? "" : $"echo kernel {kernel} > usr/lib/modules/6.1.0/vmlinuz; echo initrd {kernel} > usr/lib/modules/6.1.0/initramfs.img")}}
            {{edit}}
            """, tree).Ok();
        string output = Tool.Run("ostree", $"--repo={this["ostree/repo"]}", "commit", "-b", branch, $"--tree=dir={tree}", $"--add-metadata-string=version={version}",
            "--timestamp=2024-01-01 00:00:00 UTC", "--owner-uid=0", "--owner-gid=0").Ok().OutputLine;
        return Checksum.Parse(output);
    }

    /// <summary>Deploys a branch as <c>admin deploy</c> does.</summary>
    public Deployment Deploy(string branch, Retention retention = Retention.Default, params string[] arguments)
    {
        using Sysroot sysroot = Open();
        return Deploy(sysroot, branch, retention, arguments);
    }

    public static Deployment Deploy(Sysroot sysroot, string branch, Retention retention = Retention.Default, params string[] arguments)
    {
        Deployment? merge = sysroot.MergeDeployment(Stateroot);
        sysroot.Cleanup(prune: false);
        Deployment deployment = sysroot.Deploy(new DeployRequest
        {
            Stateroot = Stateroot,
            Commit = sysroot.Repo.ResolveRequired(branch),
            Origin = Origin.FromRefspec(branch),
            Merge = merge,
            KernelArguments = arguments.Length > 0 ? arguments : null,
        });
        sysroot.AddDeployment(deployment, merge, retention, clean: false);
        sysroot.Cleanup();
        return deployment;
    }

    /// <summary>What the real program says of it.</summary>
    public string RealStatus(string? path = null) => Tool.Run("ostree", "admin", "status", $"--sysroot={path ?? Path}").Ok().Output;

    public void Shell(string script) => Tool.Shell(script, Path).Ok();

    /// <summary>A copy to break; the immutable bit is not copied.</summary>
    public string Copy(string name)
    {
        string copy = scratch[name];
        Tool.Shell($"{RemoveScript(copy)}; cp -a '{Path}' '{copy}'").Ok();
        return copy;
    }

    public static void Remove(string path) => Tool.Shell(RemoveScript(path)).Ok();

    // Only the deployments' own directories carry the bit.
    private static string RemoveScript(string path) => $"[ ! -e '{path}' ] || {{ chattr -f -i '{path}'/ostree/deploy/*/deploy/*.[0-9] || true; rm -rf '{path}'; }}";

    public void Dispose()
    {
        foreach (string directory in Directory.GetDirectories(scratch.Path))
        {
            Remove(directory);
        }
        scratch.Dispose();
    }
}
