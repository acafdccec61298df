namespace OciOstree.Cli.Ostree;

/// <summary>The value of <c>--fsync</c>: a boolean in any of the spellings that ostree takes.</summary>
internal static class FsyncPolicy
{
    public static bool IsOff(string? text) => text switch
    {
        null or "1" or "yes" or "true" or "on" => false,
        "0" or "no" or "false" or "off" or "none" => true,
        _ => throw new UsageException($"Invalid boolean argument '{text}'"),
    };
}
