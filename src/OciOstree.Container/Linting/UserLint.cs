using System.Globalization;

namespace OciOstree.Container;

/// <summary>Compares <c>/etc/passwd</c> and <c>/etc/group</c> with what <c>sysusers.d</c> declares, and with who owns files.</summary>
internal static class UserLint
{
    private const uint Nobody = 65534;

    internal static void Check(LintRun run)
    {
        var users = Names(run, "etc/passwd", 2);
        var groups = Names(run, "etc/group", 2);
        if (users.Count == 0 && groups.Count == 0)
        {
            return;
        }

        HashSet<string> declaredUsers = new(StringComparer.Ordinal) { "root" };
        HashSet<string> declaredGroups = new(StringComparer.Ordinal) { "root" };
        foreach (var fields in SystemdLines.Read(run, "sysusers.d"))
        {
            switch (fields[0].TrimEnd('!', '-'))
            {
                case "u":
                    // A user's own group is made with it.
                    declaredUsers.Add(fields[1]);
                    declaredGroups.Add(fields[1]);
                    break;
                case "g":
                    declaredGroups.Add(fields[1]);
                    break;
                case "m" when fields.Count > 2:
                    declaredUsers.Add(fields[1]);
                    declaredGroups.Add(fields[2]);
                    break;
            }
        }

        // Systems with nss-altfiles have a second pair, which updates replace.
        declaredUsers.UnionWith(Names(run, "usr/lib/passwd", 2).Keys);
        declaredGroups.UnionWith(Names(run, "usr/lib/group", 2).Keys);

        var (byUser, byGroup) = CountOwned(run);
        foreach (var (name, uid) in users.Where(user => !declaredUsers.Contains(user.Key)))
        {
            run.Report("/etc/passwd", $"user '{name}' (uid {uid}) is in no sysusers.d{Files(byUser, uid)}");
        }

        foreach (var (name, gid) in groups.Where(group => !declaredGroups.Contains(group.Key)))
        {
            run.Report("/etc/group", $"group '{name}' (gid {gid}) is in no sysusers.d{Files(byGroup, gid)}");
        }

        ReportUnknown(run, "uid", byUser, [.. users.Values, .. Names(run, "usr/lib/passwd", 2).Values]);
        ReportUnknown(run, "gid", byGroup, [.. groups.Values, .. Names(run, "usr/lib/group", 2).Values]);
    }

    private static string Files(Dictionary<uint, (int Count, string First)> owned, uint id) =>
        owned.TryGetValue(id, out var files) ? $", and owns {files.Count} {(files.Count == 1 ? "file" : "files")}, such as {files.First}" : "";

    private static void ReportUnknown(LintRun run, string kind, Dictionary<uint, (int Count, string First)> owned, HashSet<uint> known)
    {
        foreach (var (id, files) in owned.Where(entry => entry.Key is not 0 and not Nobody && !known.Contains(entry.Key)).OrderBy(entry => entry.Key))
        {
            run.Report(files.First, files.Count == 1 ? $"belongs to {kind} {id}, which nobody has" : $"and {files.Count - 1} more belong to {kind} {id}, which nobody has");
        }
    }

    private static (Dictionary<uint, (int Count, string First)> Users, Dictionary<uint, (int Count, string First)> Groups) CountOwned(LintRun run)
    {
        Dictionary<uint, (int, string)> users = [], groups = [];
        foreach (var top in (ReadOnlySpan<string>)["usr", "etc"])
        {
            foreach (var node in run.Directory(top)?.Walk() ?? [])
            {
                if (!node.IsMount)
                {
                    Count(users, node.Uid, node);
                    Count(groups, node.Gid, node);
                }
            }
        }

        return (users, groups);

        static void Count(Dictionary<uint, (int Count, string First)> counts, uint id, RootNode node)
        {
            if (id != 0)
            {
                counts[id] = counts.TryGetValue(id, out var known) ? (known.Count + 1, known.First) : (1, node.Path);
            }
        }
    }

    // NAME:PASSWORD:ID:…
    private static Dictionary<string, uint> Names(LintRun run, string path, int idField)
    {
        Dictionary<string, uint> names = new(StringComparer.Ordinal);
        foreach (var line in (run.Tree.ReadText(path) ?? "").Split('\n'))
        {
            var fields = line.Split(':');
            if (fields.Length > idField && fields[0].Length > 0 && fields[0][0] is not ('#' or '+' or '-') && uint.TryParse(fields[idField], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                names.TryAdd(fields[0], id);
            }
        }

        return names;
    }
}
