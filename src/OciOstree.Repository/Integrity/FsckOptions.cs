namespace OciOstree.Repository;

/// <summary>How thorough an fsck is and what it does about what it finds.</summary>
public sealed record FsckOptions
{
    /// <summary>Go on after a damaged object, and after a ref whose commit is missing; other missing ones never stop it.</summary>
    public bool KeepGoing { get; init; }

    /// <summary>Delete damaged objects and mark the commits that they belong to as partial.</summary>
    public bool Delete { get; init; }

    /// <summary>Leave tombstones for commits whose parents are gone.</summary>
    public bool AddTombstones { get; init; }

    /// <summary>Check that commits name the refs that lead to them.</summary>
    public bool VerifyBindings { get; init; }

    /// <summary>Check also that the refs that commits name lead back; then, if <see cref="VerifyBindings"/> is not set, do as if it were.</summary>
    public bool VerifyBackRefs { get; init; }

    /// <summary>Told what is found and done, a line each.</summary>
    public Action<string> Report { get; init; } = static _ => { };

    /// <summary>Told what is about to be done, a line each.</summary>
    public Action<string> Stage { get; init; } = static _ => { };

    /// <summary>Told what was changed though nothing was damaged, a line each.</summary>
    public Action<string> Done { get; init; } = static _ => { };

    /// <summary>Told how many objects of how many are checked, from several threads.</summary>
    public Action<int, int> Progress { get; init; } = static (_, _) => { };
}
