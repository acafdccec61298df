using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>Single files that an import drops or refuses, or that mean something else on a machine.</summary>
internal static class FileLints
{
    // What a machine has at its root even if the image does not.
    private static readonly string[] MachineTopLevels =
        ["usr", "etc", "var", "run", "proc", "sys", "dev", "tmp", "boot", "sysroot", "ostree", "efi"];

    internal static IEnumerable<Lint> All =>
    [
        new Lint(
            "links-outside",
            LintLevel.Warning,
            "Links in /usr and /etc should not lead out of the tree, or into what a machine does not have",
            "They lead nowhere on a machine, or to whatever happens to be there.",
            "make the link again: RUN ln -sfnT TARGET PATH")
        {
            Check = NoLinksOutside,
        },
        new Lint(
            "set-id",
            LintLevel.Warning,
            "Set-user-ID and set-group-ID files should be root's to change, and lie in /usr",
            "Whoever can write to such a file becomes its owner; in /etc and /var an update does not replace it.",
            "RUN chmod u-s,g-s PATH, or chmod go-w PATH")
        {
            Check = SetIdIsSafe,
        },
        new Lint(
            "special-files",
            LintLevel.Warning,
            "Device nodes, sockets and pipes cannot be kept",
            "An ostree commit holds files, directories and links: an import leaves the others out.",
            "remove it, and let the machine make it: a line 'p', 'c' or 'b' in /usr/lib/tmpfiles.d/NAME.conf")
        {
            Check = run =>
            {
                foreach (var node in Kept(run).Where(node => node.Type is FileType.BlockDevice or FileType.CharacterDevice or FileType.Fifo or FileType.Socket))
                {
                    run.Report(node, node.Type switch
                    {
                        FileType.Fifo => "is a pipe",
                        FileType.Socket => "is a socket",
                        _ => "is a device node",
                    });
                }
            },
        },
        new Lint(
            "utf8",
            LintLevel.Fatal,
            "Names and link targets must be UTF-8",
            "An ostree commit cannot hold others: the import fails.",
            "RUN mv the file to a name in UTF-8")
        {
            Check = run =>
            {
                foreach (var node in Kept(run))
                {
                    if (!FileName.IsUtf8(node.Name))
                    {
                        run.Report(FileName.ForDisplay(node.Path), "has a name that is not UTF-8");
                    }
                    else if (node.LinkTarget is { } target && !FileName.IsUtf8(target))
                    {
                        run.Report(FileName.ForDisplay(node.Path), "leads to a name that is not UTF-8");
                    }
                }
            },
        },
        new Lint(
            "world-writable",
            LintLevel.Warning,
            "Nobody but its owner should be able to write to what is in /usr and /etc",
            "Any user could replace what others run or believe.",
            "RUN chmod o-w PATH")
        {
            Check = run =>
            {
                foreach (var node in UsrAndEtc(run).Where(node => !node.IsLink && (node.Permissions & 2) != 0 && !(node.IsDirectory && (node.Permissions & 0x200) != 0)))
                {
                    run.Report(node, $"has mode {BaseLints.Octal(node.Permissions)}");
                }
            },
        },
    ];

    // All that an import looks at.
    private static IEnumerable<RootNode> Kept(LintRun run) => run.Tree.Root.Children
        .Where(top => top is { IsMount: false, Name: not ("dev" or "proc" or "sys" or "run" or "tmp" or "sysroot") })
        .SelectMany(top => top.Walk())
        .Where(node => !node.IsMount);

    private static IEnumerable<RootNode> UsrAndEtc(LintRun run) => (run.Directory("usr")?.Walk() ?? []).Concat(run.Directory("etc")?.Walk() ?? []).Where(node => !node.IsMount);

    private static void NoLinksOutside(LintRun run)
    {
        foreach (var node in UsrAndEtc(run))
        {
            if (node.LinkTarget is { } target && ProblemOf(run, node, target) is { } problem)
            {
                run.Report(node, $"leads to {FileName.ForDisplay(target)}, {problem}");
            }
        }
    }

    private static string? ProblemOf(LintRun run, RootNode link, string target)
    {
        var parts = target.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (!target.StartsWith('/'))
        {
            var depth = 0;
            for (var at = link.Parent; at?.Parent is not null; at = at.Parent)
            {
                depth++;
            }

            foreach (var part in parts)
            {
                depth += part == ".." ? -1 : part == "." ? 0 : 1;
                if (depth < 0)
                {
                    return "which is above the root";
                }
            }

            return null;
        }

        if (parts.Length == 0 || MachineTopLevels.Contains(parts[0]) || run.Tree.Root.Child(parts[0]) is { } top && (top.IsLink || parts.Length == 1))
        {
            return null;
        }

        return run.Tree.Resolve(target) is null ? "which is not in the image" : EtcLints.RootIsTransient(run) ? null : "where what builds make does not survive";
    }

    private static void SetIdIsSafe(LintRun run)
    {
        foreach (var node in Kept(run).Where(node => node.IsFile && (node.Permissions & 0xc00) != 0))
        {
            var top = node.Path.AsSpan(1);
            top = top[..(top.IndexOf('/') is >= 0 and var slash ? slash : top.Length)];
            if ((node.Permissions & 0x12) != 0)
            {
                run.Report(node, $"has mode {BaseLints.Octal(node.Permissions)}: others may write to it");
            }
            else if (top is "etc" or "var")
            {
                run.Report(node, $"has mode {BaseLints.Octal(node.Permissions)} and lies where updates do not replace it");
            }
        }
    }
}
