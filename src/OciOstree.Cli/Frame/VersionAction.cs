using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace OciOstree.Cli;

/// <summary>Prints the version; as <c>ostree</c> in the YAML form that its callers parse.</summary>
internal sealed class VersionAction(string calledAs) : SynchronousCommandLineAction
{
    /// <summary>The libostree release whose behaviour and file formats are implemented.</summary>
    public const string LibostreeVersion = "2026.4";

    // Scripts ask by libostree's names for what may be compiled out of it: tar archives are "libarchive".
    private static readonly string[] Features = ["composefs", "ex-fsverity", "gpgme", "initial-var", "libarchive", "openssl", "release", "sign-ed25519", "sign-spki"];

    public static string Version { get; } =
        typeof(VersionAction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        if (calledAs == "ostree")
        {
            Console.Out.WriteLine($"libostree:\n Version: '{LibostreeVersion}'\n Implementation: 'oci-ostree {Version}'\n Features:\n  - {string.Join("\n  - ", Features)}");
        }
        else
        {
            Console.Out.WriteLine($"{calledAs} {Version}");
        }

        return ExitCodes.Ok;
    }
}
