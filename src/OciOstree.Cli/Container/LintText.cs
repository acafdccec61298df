using OciOstree.Container;
using OciOstree.Linux;

namespace OciOstree.Cli.Container;

/// <summary>Findings as people read them: a paragraph for each lint, in the form that bootc's has.</summary>
internal static class LintText
{
    private const int Shown = 5;

    public static void Write(TextWriter output, LintReport report, bool all)
    {
        foreach (var lint in report.Findings.GroupBy(finding => finding.Lint))
        {
            output.WriteLine($"{(lint.Key.Level == LintLevel.Fatal ? "Failed lint" : "Lint warning")}: {lint.Key.Name}: {lint.Key.Description}");
            var findings = lint.ToList();
            var shown = all ? findings.Count : Math.Min(Shown, findings.Count);
            foreach (var finding in findings.Take(shown))
            {
                output.WriteLine($"  {FileName.ForDisplay(finding.Path)}: {finding.What}");
            }

            if (shown < findings.Count)
            {
                output.WriteLine($"  ...and {findings.Count - shown} more");
            }

            output.WriteLine($"  why: {lint.Key.Why}");
            output.WriteLine($"  mend: {lint.Key.Mend}");
        }
    }

    public static void WriteCounts(TextWriter output, LintReport report)
    {
        output.WriteLine($"Checks passed: {report.Passed}");
        if (report.Skipped > 0)
        {
            output.WriteLine($"Checks skipped: {report.Skipped}");
        }

        if (report.Warnings > 0)
        {
            output.WriteLine($"Warnings: {report.Warnings}");
        }
    }
}
