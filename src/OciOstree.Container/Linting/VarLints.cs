using System.Globalization;
using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>A machine's own state, which no image brings twice.</summary>
internal static class VarLints
{
    internal static IEnumerable<Lint> All =>
    [
        new Lint(
            "var-log",
            LintLevel.Warning,
            "/var/log should have no logs",
            "Logs of the build are no machine's, differ from build to build, and may tell what nobody should know.",
            "end the RUN step with: rm -rf /var/log/*")
        {
            Check = run =>
            {
                foreach (var node in run.Directory("var/log")?.Walk() ?? [])
                {
                    if (node is { IsFile: true, Size: > 0, IsMount: false })
                    {
                        run.Report(node, $"has {node.Size.ToString(CultureInfo.InvariantCulture)} bytes");
                    }
                }
            },
        },
        new Lint(
            "var-run",
            LintLevel.Fatal,
            "/var/run must be a link to /run",
            "A directory in its place parts programs that look in one from those that look in the other.",
            "RUN rm -rf /var/run && ln -s ../run /var/run")
        {
            Check = run =>
            {
                if (run.Tree.Find("var/run") is { IsLink: false, IsMount: false } node)
                {
                    run.Report(node, "is no link");
                }
            },
        },
        new Lint(
            "var-tmpfiles",
            LintLevel.Warning,
            "Content in /var should come from /usr/lib/tmpfiles.d",
            "A machine gets an image's /var when it is installed, and never again: what an update adds there does not arrive, what it removes stays.",
            "directories and links: write the lines above to /usr/lib/tmpfiles.d/NAME.conf; files: keep them in /usr (a 'C' line copies them from there), or remove them: rm -rf /var/cache/* /var/lib/apt/lists/*")
        {
            Check = Covered,
        },
    ];

    private static void Covered(LintRun run)
    {
        if (run.Directory("var") is not { } var)
        {
            return;
        }

        var (made, copied) = ReadTmpfiles(run);
        var names = new Owners(run);
        Check(var);

        void Check(RootNode directory)
        {
            foreach (var node in directory.Children)
            {
                if (node.IsMount || copied.Contains(node.Path) || node.Path is "/var/tmp" or "/var/run" or "/var/log")
                {
                    continue;
                }

                var isMade = made.Contains(node.Path);
                if (node.IsDirectory)
                {
                    if (!isMade)
                    {
                        run.Report(node, $"d {SystemdLines.Quote(node.Path)} {BaseLints.Octal(node.Permissions)} {names.User(node.Uid)} {names.Group(node.Gid)} - -");
                    }

                    Check(node);
                }
                else if (node.IsLink && !isMade)
                {
                    run.Report(node, $"L {SystemdLines.Quote(node.Path)} - - - - {SystemdLines.Quote(node.LinkTarget ?? "")}");
                }
                else if (!isMade)
                {
                    run.Report(node, node.IsFile ? "is a file" : "is no directory, link or file");
                }
            }
        }
    }

    private static (HashSet<string> Made, HashSet<string> Copied) ReadTmpfiles(LintRun run)
    {
        HashSet<string> made = new(StringComparer.Ordinal), copied = new(StringComparer.Ordinal);
        foreach (var fields in SystemdLines.Read(run, "tmpfiles.d"))
        {
            var path = fields[1].Replace("%%", "%", StringComparison.Ordinal).TrimEnd('/');
            switch (fields[0].TrimEnd('+', '!', '-', '=', '~', '^', '$', '?'))
            {
                case "C":
                    copied.Add(path);
                    break;
                case "d" or "D" or "v" or "q" or "Q" or "L" or "f" or "F" or "p" or "c" or "b" or "e":
                    made.Add(path);
                    break;
            }
        }

        return (made, copied);
    }

    /// <summary>Names for the ids in suggested lines; the ids themselves where there is no name.</summary>
    private sealed class Owners(LintRun run)
    {
        private readonly Dictionary<string, string> users = Read(run, "etc/passwd");
        private readonly Dictionary<string, string> groups = Read(run, "etc/group");

        internal string User(uint id) => Of(users, id);

        internal string Group(uint id) => Of(groups, id);

        private static string Of(Dictionary<string, string> names, uint id)
        {
            var text = id.ToString(CultureInfo.InvariantCulture);
            return names.GetValueOrDefault(text) ?? (id == 0 ? "root" : text);
        }

        private static Dictionary<string, string> Read(LintRun run, string path)
        {
            Dictionary<string, string> names = new(StringComparer.Ordinal);
            foreach (var line in (run.Tree.ReadText(path) ?? "").Split('\n'))
            {
                if (line.Split(':') is [{ Length: > 0 } name, _, var id, ..])
                {
                    names.TryAdd(id, name);
                }
            }

            return names;
        }
    }
}
