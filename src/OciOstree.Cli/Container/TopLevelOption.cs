using System.CommandLine;
using OciOstree.Container;

namespace OciOstree.Cli.Container;

/// <summary><c>--toplevel</c>, of every verb that imports an image.</summary>
internal static class TopLevelOption
{
    public static Option<string[]> Create() => Opts.Many(
        "--toplevel",
        "NAME=RULE",
        "Where layers' content of a top-level directory goes: keep, drop, or factory (usr/share/factory/NAME); NAME may be * for all that are not told otherwise. Updates of the image do the same; --toplevel=default ends that");

    /// <summary>Null if nothing is given: the image is treated as before.</summary>
    public static TopLevelRules? Read(ParseResult parsed, Option<string[]> option)
    {
        try
        {
            return parsed.GetValue(option) is { Length: > 0 } given ? TopLevelRules.Parse(given) : null;
        }
        catch (FormatException e)
        {
            throw new UsageException($"--toplevel: {e.Message}");
        }
    }
}
