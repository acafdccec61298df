using System.CommandLine;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class StaticDeltaShowCommand
{
    public static Command Create() =>
        new OstreeVerb("show", "Dump information on a delta", "", "ostree static-delta show --repo=/srv/repo FROM-TO").Does((OstreeCall call) =>
        {
            Repo repo = call.Repo;
            string delta = StaticDeltaCommand.Delta(call);
            using LinuxDirectory? beside = delta.Contains('/') ? LinuxDirectory.Open(Path.GetDirectoryName(Path.GetFullPath(delta))!) : null;
            using SafeFileHandle file = beside is null ? repo.Root.OpenFile(DeltaName.Parse(delta).Superblock) : beside.OpenFile(Path.GetFileName(delta));
            using MappedFile bytes = new(file, delta);
            Show(call, delta, DeltaSuperblock.Parse(bytes.Memory), beside);
        });

    private static void Show(OstreeCall call, string delta, DeltaSuperblock superblock, LinuxDirectory? beside)
    {
        call.Print($"Delta: {delta}");
        call.Print($"Signed: {(superblock.Signatures is null ? "no" : "yes")}");
        call.Print(superblock.Name.From is { } from ? $"From: {from}" : "From <scratch>");
        call.Print($"To: {superblock.Name.To}");
        call.Print($"Endianness: {superblock.Endianness switch
        {
            DeltaEndianness.Big => "big",
            DeltaEndianness.Little => "little",
            _ => "invalid",
        }}{(superblock.IsGuessed && superblock.Endianness != DeltaEndianness.Invalid ? " (heuristic)" : "")}");
        call.Print($"Timestamp: {superblock.Timestamp}");
        call.Print($"Number of parents: {superblock.ParentCount}");
        IReadOnlyList<DeltaFallback> fallbacks = superblock.Fallbacks;
        call.Print($"Number of fallback entries: {fallbacks.Count}");
        ulong fallbackSize = 0, fallbackUsize = 0, size = 0, usize = 0;
        foreach (DeltaFallback fallback in fallbacks)
        {
            call.Print($"  {fallback.Name.Checksum}");
            fallbackSize += fallback.Size;
            fallbackUsize += fallback.UncompressedSize;
        }
        Total(call, "Fallback ", fallbackSize, fallbackUsize);
        call.Print($"Number of parts: {superblock.Parts.Count}");
        for (int i = 0; i < superblock.Parts.Count; i++)
        {
            DeltaPartHeader part = superblock.Parts[i];
            size += part.Size;
            usize += part.UncompressedSize;
            call.Print($"PartMeta{i}: nobjects={part.Objects.Count} size={part.Size} usize={part.UncompressedSize}");
            DeltaPartContents contents = DeltaPartContents.Read(call.Repo, superblock, i, beside);
            call.Print($"PartPayload{i}: nmodes={contents.ModeCount} nxattrs={contents.XattrCount} blobsize={contents.PayloadSize} opsize={contents.OperationsSize}");
            DeltaOperationCounts done = contents.Operations;
            call.Print($"PartPayloadOps{i}: openspliceclose={done.OpenSpliceAndClose} open={done.Open} write={done.Write} setread={done.SetReadSource} unsetread={done.UnsetReadSource} close={done.Close} bspatch={done.Patch}");
        }
        Total(call, "Part ", size, usize);
        Total(call, "", size + fallbackSize, usize + fallbackUsize);
    }

    private static void Total(OstreeCall call, string of, ulong size, ulong usize)
    {
        call.Print($"Total {of}Size: {size} ({SizeText.Of((long)size)})");
        call.Print($"Total {of}Uncompressed Size: {usize} ({SizeText.Of((long)usize)})");
    }
}
