using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>One lint's look at one root.</summary>
internal sealed class LintRun(Lint lint, RootTree tree, IReadOnlyDictionary<string, string>? labels, List<LintFinding> findings)
{
    internal RootTree Tree => tree;

    /// <summary>Of the image, where it is one.</summary>
    internal IReadOnlyDictionary<string, string>? Labels => labels;

    internal void Report(string path, string what) => findings.Add(new LintFinding(lint, path, what));

    internal void Report(RootNode node, string what) => Report(node.Path, what);

    /// <summary>The directory of that path itself, not a link to one and not mounted over; null if it is something else.</summary>
    internal RootNode? Directory(string path) => tree.Find(path) is { IsDirectory: true, IsMount: false } directory ? directory : null;

    /// <summary>The files in a directory whose names end so, by name; none if there is no such directory.</summary>
    internal IEnumerable<RootNode> Files(string directory, string suffix) =>
        (tree.Resolve(directory)?.Children ?? []).Where(node => node.Name.EndsWith(suffix, StringComparison.Ordinal) && !node.IsDirectory);
}
