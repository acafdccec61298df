using System.CommandLine;

namespace OciOstree.Cli.Ostree;

/// <summary>The words of <c>ostree</c> for repositories.</summary>
internal static class OstreeVerbs
{
    public static void AddTo(Command root)
    {
    }
}
