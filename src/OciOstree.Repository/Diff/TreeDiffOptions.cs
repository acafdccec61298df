namespace OciOstree.Repository;

/// <summary>What counts as a difference. Owners given here are taken for those of the second tree's files on disk.</summary>
public sealed record TreeDiffOptions
{
    public bool IgnoreXattrs { get; init; }

    public uint? OwnerUid { get; init; }

    public uint? OwnerGid { get; init; }
}
