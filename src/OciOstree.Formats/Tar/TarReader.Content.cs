namespace OciOstree.Formats.Tar;

public sealed partial class TarReader
{
    /// <summary>The bytes of the current entry. With a sparse map, stored runs alternate with zeros.</summary>
    private sealed class ContentStream(TarReader reader) : Stream
    {
        private long _stored;   // bytes left in the archive
        private int _padding;   // after them
        private long _length;
        private long _position;
        private List<SparseSegment>? _map;
        private int _segment;

        internal void Begin(long stored, long length, List<SparseSegment>? map)
        {
            if (map is not null)
            {
                CheckMap(map, stored, length);
            }

            _stored = stored;
            _padding = TarFormat.Padding(stored);
            _length = length;
            _position = 0;
            _map = map;
            _segment = 0;
        }

        internal void Clear() => Begin(0, 0, null);

        internal void SkipRest()
        {
            // One after the other: a size near the largest number must not overflow.
            if (_stored > 0)
            {
                reader.Skip(_stored);
            }

            if (_padding > 0)
            {
                reader.Skip(_padding);
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
            if (buffer.Length > _length - _position)
            {
                buffer = buffer[..(int)(_length - _position)];
            }

            if (buffer.IsEmpty)
            {
                return 0;
            }

            int count;
            if (_map is null)
            {
                count = reader.ReadBytes(buffer);
                _stored -= count;
            }
            else
            {
                count = ReadSparse(buffer);
            }

            _position += count;
            return count;
        }

        private int ReadSparse(Span<byte> buffer)
        {
            while (_segment < _map!.Count && _position >= _map[_segment].Offset + _map[_segment].Length)
            {
                _segment++;
            }

            long until = _segment < _map.Count ? _map[_segment].Offset : _length;
            if (_position < until)
            {
                int zeros = (int)Math.Min(buffer.Length, until - _position);
                buffer[..zeros].Clear();
                return zeros;
            }

            long left = _map[_segment].Offset + _map[_segment].Length - _position;
            int count = reader.ReadBytes(buffer[..(int)Math.Min(buffer.Length, left)]);
            _stored -= count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int ReadByte()
        {
            Span<byte> one = stackalloc byte[1];
            return Read(one) == 0 ? -1 : one[0];
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => _length;
        public override long Position { get => _position; set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
