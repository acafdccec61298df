namespace OciOstree.Testing;

/// <summary>The SELinux policy of Debian's selinux-policy-default, as its installation built it on this machine.</summary>
public static class DebianPolicy
{
    public const string Contexts = "/etc/selinux/default/contexts/files/file_contexts";

    /// <summary>Copies the policy into a root directory's <c>etc</c> or <c>usr/etc</c>.</summary>
    public static void CopyTo(string etc)
    {
        if (!File.Exists(Contexts))
            throw new ToolException("selinux-policy-default is not installed");
        Tool.Shell($"mkdir -p '{etc}/selinux' && cp -a /etc/selinux/default '{etc}/selinux/' && printf 'SELINUX=permissive\\nSELINUXTYPE=default\\n' >'{etc}/selinux/config'").Ok();
    }

    /// <summary>What libselinux's own tool says of paths with the given type (<c>file</c>, <c>dir</c>, <c>symlink</c>); null where the policy has no label.</summary>
    public static Dictionary<string, string?> Match(IEnumerable<string> paths, string type)
    {
        var labels = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (string[] some in paths.Chunk(500))
        {
            foreach (string line in Tool.Run("matchpathcon", ["-N", "-m", type, "-f", Contexts, "--", .. some]).OutputLines)
            {
                int tab = line.LastIndexOf('\t');
                labels.Add(line[..tab], line[(tab + 1)..] is "<<none>>" ? null : line[(tab + 1)..]);
            }
        }
        return labels;
    }
}
