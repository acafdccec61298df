namespace OciOstree.Sysroot;

/// <summary>The switches that ostree reads from <c>OSTREE_SYSROOT_OPTS</c> and <c>OSTREE_SYSROOT_DEBUG</c>, words separated by comma, colon, semicolon or space.</summary>
internal sealed class SysrootDebug
{
    private readonly HashSet<string> words;

    private SysrootDebug(string? options, string? debug)
    {
        words = [.. Split(options), .. Split(debug)];
    }

    public static SysrootDebug FromEnvironment() =>
        new(Environment.GetEnvironmentVariable("OSTREE_SYSROOT_OPTS"), Environment.GetEnvironmentVariable("OSTREE_SYSROOT_DEBUG"));

    public bool SkipSync => words.Contains("skip-sync");

    public bool NoEarlyPrune => words.Contains("no-early-prune");

    /// <summary>Entry files named as before 2024.5: with the stateroot at the end.</summary>
    public bool OldEntryNames => words.Contains("bootloader-naming-1");

    /// <summary>Deployments without the immutable bit.</summary>
    public bool MutableDeployments => words.Contains("mutable-deployments");

    /// <summary>Shows that the watchdog thaws: nothing is frozen, and the deployment fails.</summary>
    public bool TestFreeze => words.Contains("test-fifreeze");

    public bool NoXattrs => words.Contains("no-xattrs");

    public bool NoDeviceTrees => words.Contains("no-dtb");

    private static string[] Split(string? text) => text?.Split([',', ':', ';', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries) ?? [];
}
