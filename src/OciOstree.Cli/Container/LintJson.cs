using System.Text.Json.Serialization;
using OciOstree.Container;

namespace OciOstree.Cli.Container;

/// <summary>What <c>container lint --json</c> prints.</summary>
internal sealed record LintResult(string Root, int Passed, int Skipped, int Warnings, int Fatal, IReadOnlyList<LintResultFinding> Findings);

internal sealed record LintResultFinding(string Lint, string Type, string Path, string What, string Why, string Mend)
{
    public static LintResultFinding From(LintFinding finding) =>
        new(finding.Lint.Name, LintDescription.TypeOf(finding.Lint), finding.Path, finding.What, finding.Lint.Why, finding.Lint.Mend);
}

/// <summary>One of what <c>container lint --list --json</c> prints.</summary>
internal sealed record LintDescription(string Name, string Type, string Description, string Why, string Mend)
{
    public static LintDescription From(Lint lint) => new(lint.Name, TypeOf(lint), lint.Description, lint.Why, lint.Mend);

    public static string TypeOf(Lint lint) => lint.Level == LintLevel.Fatal ? "fatal" : "warning";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LintResult))]
[JsonSerializable(typeof(IReadOnlyList<LintDescription>))]
internal sealed partial class LintJson : JsonSerializerContext;
