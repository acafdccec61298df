using System.Text.RegularExpressions;

namespace OciOstree.Cli.Tests;

/// <summary>What the documentation says to type is what the program takes.</summary>
public partial class DocumentationTests
{
    private static IEnumerable<string> Paths =>
        Directory.EnumerateFiles(OurProgram.CheckoutRoot, "*.md", SearchOption.TopDirectoryOnly)
            .Concat(new[] { "docs", "src", "tests", "examples", "containerfiles" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(OurProgram.CheckoutRoot, folder), "*.md", SearchOption.AllDirectories)))
            .Select(path => Path.GetRelativePath(OurProgram.CheckoutRoot, path)).Order();

    public static TheoryData<string> Texts => new(Paths);

    [Theory]
    [MemberData(nameof(Texts))]
    public void WhatTheTextSaysToTypeParses(string path)
    {
        var text = File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, path));
        var blocks = Block().Matches(text);
        foreach (var line in blocks.Where(block => block.Groups[1].Value is "sh" or "dockerfile").SelectMany(block => block.Groups[2].Value.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')))
        {
            Assert.All(ShellLine.Calls(line), call => Assert.Null(Problem(call.CalledAs, call.Words)));
        }

        // In a sentence a call may be short of words, "[...]" is what may be left out, and "…" whatever else.
        foreach (Match span in Span().Matches(Block().Replace(text, "")))
        {
            var call = span.Groups[1].Value.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split(" …")[0].ReplaceLineEndings(" ");
            foreach (var (name, words) in ShellLine.Calls(call))
            {
                Assert.DoesNotContain("nknown", Problem(name, words) ?? "", StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void TheTextsSayEnoughToType() =>
        Assert.True(File.ReadAllLines(Path.Combine(OurProgram.CheckoutRoot, "README.md")).SelectMany(ShellLine.Calls).Count() >= 10);

    [Fact]
    public void LinksLeadSomewhere()
    {
        Assert.All(Paths, path =>
        {
            foreach (Match link in Link().Matches(Block().Replace(File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, path)), "")))
            {
                var target = Path.Combine(OurProgram.CheckoutRoot, Path.GetDirectoryName(path)!, link.Groups[1].Value);
                Assert.True(Path.Exists(target), $"{path}: {link.Groups[1].Value}");
            }
        });
    }

    private static string? Problem(string calledAs, string[] words) =>
        Entry.UsageProblem(Entry.Parse(Personality.Named(calledAs), words)) is { } problem ? $"{calledAs} {string.Join(' ', words)}: {problem}" : null;

    [GeneratedRegex(@"^```(\w*)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("`((?:sudo )?(?:oci-ostree|ostree|ostree-container) [^`]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"\]\(([^)#:]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();
}
