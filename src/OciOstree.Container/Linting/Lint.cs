namespace OciOstree.Container;

/// <summary>
/// Looks for one thing that does not survive on a machine, or breaks it. Names are those of <c>bootc container lint</c> where that has the same,
/// so that a build's <c>--skip</c> means the same to both.
/// </summary>
/// <param name="Name">Unique; what <c>--skip</c> takes.</param>
/// <param name="Description">What it looks for.</param>
/// <param name="Why">What comes of it on a machine.</param>
/// <param name="Mend">What to do about it in a Containerfile.</param>
public sealed record Lint(string Name, LintLevel Level, string Description, string Why, string Mend)
{
    /// <summary>Whether it makes no sense in a running container, whose engine puts files of its own into it.</summary>
    public bool OnlyAtRest { get; init; }

    internal Action<LintRun> Check { get; init; } = static _ => { };
}
