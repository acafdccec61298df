namespace OciOstree.Formats.Tar;

public sealed partial class TarReader
{
    /// <summary>The bytes of the current entry. With a sparse map, stored runs alternate with zeros.</summary>
    private sealed class ContentStream(TarReader reader) : ForwardReadStream
    {
        private long stored;   // bytes left in the archive
        private int padding;   // after them
        private long length;
        private long position;
        private List<SparseSegment>? map;
        private int segment;

        internal void Begin(long stored, long length, List<SparseSegment>? map)
        {
            if (map is not null)
            {
                CheckMap(map, stored, length);
            }

            this.stored = stored;
            padding = TarFormat.Padding(stored);
            this.length = length;
            position = 0;
            this.map = map;
            segment = 0;
        }

        internal void Clear() => Begin(0, 0, null);

        /// <summary>At the start of an entry: bytes of it that the archive does not hold.</summary>
        internal long Holes => map is null ? 0 : length - stored;

        internal void SkipRest()
        {
            // One after the other: a size near the largest number must not overflow.
            if (stored > 0)
            {
                reader.Skip(stored);
            }

            if (padding > 0)
            {
                reader.Skip(padding);
            }

            Clear();
        }

        private static void CheckMap(List<SparseSegment> map, long stored, long length)
        {
            long end = 0;
            long total = 0;
            foreach (SparseSegment segment in map)
            {
                if (segment.Offset < end || segment.Length > length - segment.Offset)
                {
                    throw new TarException("a sparse map is out of order or beyond the file's size");
                }

                end = segment.Offset + segment.Length;
                total += segment.Length;
            }

            if (total != stored)
            {
                throw new TarException($"a sparse map of {total} bytes stands for {stored} stored bytes");
            }
        }

        public override int Read(Span<byte> buffer)
        {
            if (buffer.Length > length - position)
            {
                buffer = buffer[..(int)(length - position)];
            }

            if (buffer.IsEmpty)
            {
                return 0;
            }

            int count;
            if (map is null)
            {
                count = reader.ReadBytes(buffer);
                stored -= count;
            }
            else
            {
                count = ReadSparse(buffer);
            }

            position += count;
            return count;
        }

        private int ReadSparse(Span<byte> buffer)
        {
            while (segment < map!.Count && position >= map[segment].Offset + map[segment].Length)
            {
                segment++;
            }

            long until = segment < map.Count ? map[segment].Offset : length;
            if (position < until)
            {
                int zeros = (int)Math.Min(buffer.Length, until - position);
                buffer[..zeros].Clear();
                return zeros;
            }

            long left = map[segment].Offset + map[segment].Length - position;
            int count = reader.ReadBytes(buffer[..(int)Math.Min(buffer.Length, left)]);
            stored -= count;
            return count;
        }

        public override long Length => length;
        public override long Position { get => position; set => throw new NotSupportedException(); }
    }
}
