using System.Text.Json.Serialization;
using OciOstree.Container;

namespace OciOstree.Cli.Container;

/// <summary>What <c>provisional-repair repair --write-result-to</c> writes, in the peer's form: canonical JSON, so members are in order.</summary>
internal sealed record RepairResult(bool BootedIsLikelyCorrupted, RepairInodes Inodes, IReadOnlyList<string> LikelyCorruptedContainerImageMerges, bool StagedIsLikelyCorrupted);

/// <summary>What <c>provisional-repair analyze-inodes --write-result-to</c> writes.</summary>
internal sealed record RepairInodes(IReadOnlyList<ulong> Collisions, long Inode32, long Inode64)
{
    public static RepairInodes From(InodeCheck check) => new(check.Collisions, check.Inode32, check.Inode64);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower)]
[JsonSerializable(typeof(RepairResult))]
[JsonSerializable(typeof(RepairInodes))]
internal sealed partial class RepairJson : JsonSerializerContext;
