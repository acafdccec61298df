namespace OciOstree.Testing;

/// <summary>An SELinux policy of a few lines: enough for a tree to have one.</summary>
public static class SmallPolicy
{
    public const string Contexts = """
        /.*	system_u:object_r:default_t:s0
        /	-d	system_u:object_r:root_t:s0
        /usr(/.*)?	system_u:object_r:usr_t:s0
        /usr/bin(/.*)?	system_u:object_r:bin_t:s0
        /etc(/.*)?	system_u:object_r:etc_t:s0
        /etc/shadow	--	system_u:object_r:shadow_t:s0
        /var(/.*)?	system_u:object_r:var_t:s0
        /boot(/.*)?	system_u:object_r:boot_t:s0
        /run(/.*)?	<<none>>

        """;

    /// <summary>The files below a root, by path.</summary>
    /// <param name="etc"><c>etc</c>, or <c>usr/etc</c>.</param>
    public static IEnumerable<KeyValuePair<string, string>> Files(string etc = "usr/etc", string contexts = Contexts, string mode = "enforcing") =>
    [
        new($"{etc}/selinux/config", $"# comment\nSELINUX={mode}\nSELINUXTYPE=small\n"),
        new($"{etc}/selinux/small/contexts/files/file_contexts", contexts),
        new($"{etc}/selinux/small/policy/policy.31", "older"),
        new($"{etc}/selinux/small/policy/policy.33", "binary"),
    ];

    /// <summary>Writes the policy into a directory.</summary>
    public static void Write(ScratchDirectory scratch, string root, string etc = "usr/etc", string contexts = Contexts, string mode = "enforcing")
    {
        foreach ((string path, string content) in Files(etc, contexts, mode))
            scratch.Write($"{root}/{path}", content);
    }
}
