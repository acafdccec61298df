namespace OciOstree.Container;

/// <summary>What the lints found in a root.</summary>
/// <param name="Findings">By lint, in the order of their names; within one in the order of the tree.</param>
/// <param name="Passed">Lints that found nothing.</param>
/// <param name="Skipped">Lints that were not run.</param>
public sealed record LintReport(IReadOnlyList<LintFinding> Findings, int Passed, int Skipped)
{
    /// <summary>Lints of the fatal kind that found something.</summary>
    public int Fatal => Count(LintLevel.Fatal);

    /// <summary>Lints of the warning kind that found something.</summary>
    public int Warnings => Count(LintLevel.Warning);

    private int Count(LintLevel level) => Findings.Where(finding => finding.Lint.Level == level).DistinctBy(finding => finding.Lint.Name).Count();
}
