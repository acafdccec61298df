using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// A program of a deployment's own tree, run in it before it boots: bubblewrap shuts it into the deployment with its <c>/usr</c>, <c>/etc</c> and <c>/var</c>, and
/// namespaces of its own.
/// </summary>
internal static class DeploymentProgram
{
    private const string Bubblewrap = "bwrap";
    private static readonly string[] Programs = ["usr/sbin", "usr/bin"];

    /// <summary>Whether the deployment has a program of this name.</summary>
    public static bool Exists(LinuxDirectory root, string program) => Programs.Any(place => root.TryStatus($"{place}/{program}", followLinks: true) is not null);

    /// <summary>Runs to the end; returns what it printed.</summary>
    /// <param name="deployment">The path of its root.</param>
    /// <param name="binds">What else it sees: a path of ours, and where it sees that.</param>
    /// <param name="program">A name to be found in its <c>/usr</c>.</param>
    /// <param name="arguments">Without the name.</param>
    /// <exception cref="SysrootException">bubblewrap is not installed, or the program failed.</exception>
    public static string Run(string deployment, IEnumerable<(string Source, string Target)> binds, string program, params IEnumerable<string> arguments)
    {
        string root = System.IO.Path.GetFullPath(deployment);
        List<string> words =
        [
            "--dev", "/dev", "--proc", "/proc", "--dir", "/run", "--dir", "/tmp", "--chdir", "/",
            "--die-with-parent", "--unshare-pid", "--unshare-uts", "--unshare-ipc", "--unshare-cgroup-try",
        ];
        foreach (string part in (string[])["block", "bus", "class", "dev", "devices"])
        {
            words.AddRange(["--ro-bind", $"/sys/{part}", $"/sys/{part}"]);
        }
        using (LinuxDirectory tree = LinuxDirectory.Open(root))
        {
            foreach (string part in (string[])["usr", "etc", "var"])
            {
                if (tree.TryStatus(part) is { IsDirectory: true })
                {
                    words.AddRange(["--bind", $"{root}/{part}", $"/{part}"]);
                }
            }
            foreach (string link in (string[])["bin", "sbin", "lib", "lib32", "lib64"])
            {
                if (tree.TryStatus(link) is { IsSymbolicLink: true })
                {
                    words.AddRange(["--symlink", tree.ReadLink(link), $"/{link}"]);
                }
            }
        }
        foreach ((string source, string target) in binds)
        {
            words.AddRange(["--bind", System.IO.Path.GetFullPath(source), target]);
        }
        return RequiredProgram.Run(Bubblewrap, [.. words, "--setenv", "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "--", program, .. arguments]);
    }
}
