using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>All lints, and a run of them.</summary>
public static class Lints
{
    /// <summary>By name.</summary>
    public static IReadOnlyList<Lint> All { get; } =
    [
        .. BaseLints.All.Concat(KernelLints.All).Concat(EtcLints.All).Concat(VarLints.All).Concat(FileLints.All).OrderBy(lint => lint.Name, StringComparer.Ordinal),
    ];

    /// <summary>Runs all lints but those named.</summary>
    /// <param name="running">Whether the tree is the root of a container that runs.</param>
    /// <param name="labels">Of the image; null if the root is none.</param>
    public static LintReport Run(RootTree tree, bool running = false, IReadOnlyDictionary<string, string>? labels = null, IReadOnlySet<string>? skip = null)
    {
        List<LintFinding> findings = [];
        var (passed, skipped) = (0, 0);
        foreach (var lint in All)
        {
            if (skip?.Contains(lint.Name) == true || (running && lint.OnlyAtRest))
            {
                skipped++;
                continue;
            }

            var before = findings.Count;
            try
            {
                lint.Check(new LintRun(lint, tree, labels, findings));
            }
            catch (Exception e) when (e is ContainerException or LinuxException)
            {
                throw new ContainerException($"Running lint {lint.Name}", e);
            }

            passed += findings.Count == before ? 1 : 0;
        }

        return new LintReport(findings, passed, skipped);
    }

    /// <summary>Whether a lint reads the file at a path (no leading slash): what <see cref="RootTree.FromImage"/> is to keep.</summary>
    public static bool Reads(string path) =>
        path is EtcLints.PrepareRoot or BaseLints.PatternOfRoot + "/" + EtcLints.PrepareRoot or "etc/passwd" or "etc/group" or "etc/machine-id" or "etc/subuid" or "usr/lib/passwd" or "usr/lib/group" or EtcLints.PrepareRootInEtc
        || path.StartsWith(EtcLints.KernelArguments + "/", StringComparison.Ordinal)
        || SystemdLines.IsConfiguration(path);
}
