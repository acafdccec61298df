namespace OciOstree.Cli;

/// <summary>The exit codes that scripts may rely on.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>What rpm-ostree exits with when asked to tell that nothing changed.</summary>
    public const int Unchanged = 77;

    /// <summary>128 + SIGINT, as shells report it.</summary>
    public const int Interrupted = 130;
}
