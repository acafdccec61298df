using System.CommandLine;
using System.Text;
using OciOstree.Linux;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>instutil selinux-ensure-labeled</c>: labels what an installer has put into the first deployment, by its policy; labels that are there stay.</summary>
internal static class EnsureLabeledCommand
{
    private const string Attribute = "security.selinux";

    public static Command Create()
    {
        var subpath = Opts.Optional("SUBPATH", "A directory to label; the deployment if not given");
        var prefix = Opts.Optional("PREFIX", "What the policy shall take the directory for");
        return new Verb("selinux-ensure-labeled", "Relabel all or part of a deployment", "ostree admin instutil selinux-ensure-labeled /mnt/sysroot/var var")
        {
            subpath, prefix,
        }.Takes("[SUBPATH PREFIX]").ReadsSysroot((sysroot, parsed) =>
        {
            var first = sysroot.Deployments.FirstOrDefault() ?? throw new SysrootException("Unable to find a deployment in sysroot");
            var path = Path.GetFullPath(sysroot.PathOf(first));
            using var root = LinuxDirectory.Open(path);
            using var policy = SePolicy.Load(root);
            if (policy is null)
            {
                Console.Out.WriteLine($"No SELinux policy found in deployment '{path}'");
                return;
            }

            var target = parsed.GetValue(subpath);
            if (target is not null && parsed.GetValue(prefix) is null)
            {
                throw new UsageException("SUBPATH needs a PREFIX");
            }

            Console.Out.WriteLine($"Relabeling using policy '{policy.Name}'");
            using var directory = LinuxDirectory.Open(target ?? path);
            Label(policy, directory, "/" + (parsed.GetValue(prefix) ?? ""));
        });
    }

    private static void Label(SePolicy policy, LinuxDirectory directory, string path)
    {
        var status = directory.Status();
        if (Xattrs.Get(directory.Handle, Attribute, directory.Path) is null && LabelOf(policy, path, status) is { } own)
        {
            Xattrs.Set(directory.Handle, Attribute, own, directory.Path);
            Tell(directory.Path, path, own);
        }

        foreach (var entry in directory.ReadEntries())
        {
            var below = $"{path}/{entry.Name}";
            var child = directory.Status(entry.Name);
            if (child.IsDirectory)
            {
                using var next = directory.OpenDirectory(entry.Name);
                Label(policy, next, below);
            }
            // A file with further names is an object of the repository: another label would make its checksum wrong.
            else if (child.LinkCount == 1 && Xattrs.Get(directory, entry.Name, Attribute) is null && LabelOf(policy, below, child) is { } label)
            {
                Xattrs.Set(directory, entry.Name, Encoding.ASCII.GetBytes(Attribute), label);
                Tell(directory.PathOf(entry.Name), below, label);
            }
        }
    }

    /// <summary>With the NUL that the kernel keeps; null where the policy has no label. The policy's paths have single slashes.</summary>
    private static byte[]? LabelOf(SePolicy policy, string path, in FileStatus status) =>
        policy.Label("/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries)), status.Mode) is { } label ? [.. Encoding.UTF8.GetBytes(label), 0] : null;

    private static void Tell(string path, string shown, byte[] label) =>
        Console.Out.WriteLine($"Set label of '{path}' (as '{shown}') to '{Encoding.UTF8.GetString(label).TrimEnd('\0')}'");
}
