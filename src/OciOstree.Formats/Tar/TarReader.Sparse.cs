namespace OciOstree.Formats.Tar;

public sealed partial class TarReader
{
    /// <summary>
    /// GNU's old form: four pairs of offset and length (12 bytes each) at byte 386 of the header, then, while a flag says so,
    /// blocks of 21 pairs.
    /// </summary>
    private List<SparseSegment> ReadGnuSparseMap(ReadOnlySpan<byte> block)
    {
        var map = new List<SparseSegment>();
        AddPairs(map, block.Slice(386, 4 * 24));
        bool extended = block[482] != 0;
        while (extended)
        {
            ReadOnlySpan<byte> next = ReadBlock();
            if (next.IsEmpty)
            {
                throw new TarException("the archive is truncated within a sparse map");
            }

            AddPairs(map, next[..(21 * 24)]);
            extended = next[504] != 0;
        }

        return map;
    }

    private static void AddPairs(List<SparseSegment> map, ReadOnlySpan<byte> pairs)
    {
        for (; pairs.Length >= 24; pairs = pairs[24..])
        {
            if (pairs[0] == 0 && pairs[12] == 0)
            {
                return; // unused pairs are all NUL
            }

            PaxRecords.AddSegment(map, Number(pairs[..12], "sparse offset"), Number(pairs.Slice(12, 12), "sparse length"));
        }
    }

    /// <summary>PAX versions 0.0 and 0.1 have the map in the extended header, 1.0 has it as decimal lines before the content.</summary>
    private void BeginPaxSparse(PaxRecords records, long stored)
    {
        long realSize = records.SparseRealSize ?? throw new TarException("a sparse file has no size");
        List<SparseSegment>? map = records.SparseMap;
        if (records.SparseMajor == 1)
        {
            map = [];
            mapBytes = 0;
            long segments = ReadMapNumber(ref stored);
            for (long i = 0; i < segments; i++)
            {
                long offset = ReadMapNumber(ref stored);
                PaxRecords.AddSegment(map, offset, ReadMapNumber(ref stored));
            }

            // The map fills whole blocks; they count as stored bytes.
            int padding = (int)Math.Min(stored, -mapBytes & (TarFormat.BlockSize - 1));
            Skip(padding);
            stored -= padding;
        }

        content.Begin(stored, realSize, map ?? throw new TarException("a sparse file has no map"));
    }

    private long mapBytes;

    private long ReadMapNumber(ref long stored)
    {
        long number = 0;
        Span<byte> one = stackalloc byte[1];
        for (int digits = 0; ; digits++)
        {
            if (stored == 0)
            {
                throw new TarException("a sparse map is longer than its entry");
            }

            ReadBytes(one);
            stored--;
            mapBytes++;
            if (one[0] == '\n' && digits > 0)
            {
                return number;
            }

            if (one[0] is < (byte)'0' or > (byte)'9' || digits == 18)
            {
                throw new TarException("a sparse map has what is not a number");
            }

            number = (number * 10) + one[0] - '0';
        }
    }
}
