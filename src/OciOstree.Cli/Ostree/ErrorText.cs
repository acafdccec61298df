using OciOstree.Linux;

namespace OciOstree.Cli.Ostree;

/// <summary>The C library's words for an error, without what was being done.</summary>
internal static class ErrorText
{
    public static string Of(LinuxException error)
    {
        int colon = error.Message.LastIndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? error.Message : error.Message[(colon + 2)..];
    }
}
