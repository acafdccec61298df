namespace OciOstree.Repository;

/// <summary>What an fsck found. <see cref="Commits"/> counts those checked, not the partial ones; <see cref="CommitsBrokenByFsck"/> are those that an earlier one marked as incomplete.</summary>
public sealed record FsckResult(int Commits, int PartialCommits, IReadOnlyList<Checksum> CommitsBrokenByFsck, IReadOnlyList<ObjectName> Missing, IReadOnlyList<ObjectName> Corrupted)
{
    public bool FoundCorruption => Missing.Count > 0 || Corrupted.Count > 0;
}
