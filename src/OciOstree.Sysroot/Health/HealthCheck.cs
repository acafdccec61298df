namespace OciOstree.Sysroot;

/// <summary>How one check ended.</summary>
/// <param name="Path">The program, as seen from the root.</param>
/// <param name="IsRequired">Whether its failure is the boot's.</param>
/// <param name="ExitCode">Null when it could not be run, or ran out of time.</param>
/// <param name="Problem">Why it failed, in words; null if it passed.</param>
/// <param name="Duration">How long it ran.</param>
public sealed record HealthCheck(string Path, bool IsRequired, int? ExitCode, string? Problem, TimeSpan Duration)
{
    public bool Passed => Problem is null;
}
