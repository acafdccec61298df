using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// A file's extended attributes as objects hold them: an <c>a(ayay)</c> of names, each with its NUL, and values, sorted by name.
/// Immutable; two sets are equal when their bytes are.
/// </summary>
public sealed class XattrSet : IEquatable<XattrSet>
{
    /// <summary>No xattrs: no bytes.</summary>
    public static readonly XattrSet Empty = new(ReadOnlyMemory<byte>.Empty, 0);

    private static ReadOnlySpan<byte> LabelName => "security.selinux"u8;

    private XattrSet(ReadOnlyMemory<byte> serialized, int count) => (Serialized, Count) = (serialized, count);

    /// <summary>The serialised <c>a(ayay)</c>.</summary>
    public ReadOnlyMemory<byte> Serialized { get; }

    public int Count { get; }

    /// <summary>The names, without NUL, and values.</summary>
    public IEnumerable<Xattr> Items
    {
        get
        {
            List<Xattr> items = new(Count);
            Framing.ArrayWalk walk = Framing.Walk(Serialized.Span);
            while (walk.Next(out ReadOnlySpan<byte> element))
            {
                Framing.SplitPair(element, 0, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value);
                items.Add(new Xattr(name.TrimEnd((byte)0).ToArray(), value.ToArray()));
            }
            return items;
        }
    }

    /// <summary>The value of an xattr by its name, null if there is none.</summary>
    public byte[]? Get(ReadOnlySpan<byte> wanted)
    {
        Framing.ArrayWalk walk = Framing.Walk(Serialized.Span);
        while (walk.Next(out ReadOnlySpan<byte> element))
        {
            Framing.SplitPair(element, 0, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value);
            if (name.TrimEnd((byte)0).SequenceEqual(wanted))
                return value.ToArray();
        }
        return null;
    }

    /// <summary>The SELinux label; null if there is none.</summary>
    public string? Label => Get(LabelName) is { } value ? FileName.FromBytes(value.AsSpan().TrimEnd((byte)0)) : null;

    /// <summary>These xattrs with another SELinux label, or with none.</summary>
    /// <param name="label">Without the NUL that it is stored with, as the kernel and libselinux store it.</param>
    public XattrSet WithLabel(string? label)
    {
        IEnumerable<Xattr> others = Items.Where(static xattr => !xattr.Name.AsSpan().SequenceEqual(LabelName));
        return From(label is null ? others : others.Append(new Xattr(LabelName.ToArray(), [.. FileName.ToBytes(label), 0])));
    }

    /// <summary>Sorts by name's bytes and serialises.</summary>
    /// <exception cref="RepositoryException">A name is empty or appears twice.</exception>
    public static XattrSet From(IEnumerable<Xattr> xattrs)
    {
        Xattr[] sorted = xattrs.ToArray();
        if (sorted.Length == 0)
            return Empty;
        Array.Sort(sorted, static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
        int body = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            if (sorted[i].Name.Length == 0 || sorted[i].Name.Contains((byte)0))
                throw new RepositoryException("Invalid xattr: its name is empty or has a NUL");
            if (i > 0 && sorted[i].Name.AsSpan().SequenceEqual(sorted[i - 1].Name))
                throw new RepositoryException($"Invalid xattrs: '{FileName.FromBytes(sorted[i].Name)}' appears twice");
            body += ElementSize(sorted[i]);
        }
        byte[] bytes = new byte[Framing.TotalSize(body, sorted.Length)];
        int size = Framing.OffsetSize(bytes.Length), at = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            // (ayay): name and its NUL, value, the offset of the name's end
            Xattr xattr = sorted[i];
            int element = ElementSize(xattr);
            xattr.Name.CopyTo(bytes, at);
            xattr.Value.CopyTo(bytes, at + xattr.Name.Length + 1);
            int width = Framing.OffsetSize(element);
            Framing.WriteOffset(bytes.AsSpan(at + element - width), width, xattr.Name.Length + 1);
            at += element;
            Framing.WriteOffset(bytes.AsSpan(body + i * size), size, at);
        }
        return new XattrSet(bytes, sorted.Length);

        static int ElementSize(in Xattr xattr) => Framing.TotalSize(xattr.Name.Length + 1 + xattr.Value.Length, 1);
    }

    /// <summary>Takes a serialised <c>a(ayay)</c> as it is, after checking that it is one; the memory is kept, not copied.</summary>
    /// <exception cref="RepositoryException">The bytes are no such array in normal form, or a name lacks its NUL.</exception>
    public static XattrSet Parse(ReadOnlyMemory<byte> serialized)
    {
        if (serialized.Length == 0)
            return Empty;
        Framing.ArrayWalk walk = Framing.Walk(serialized.Span);
        int count = walk.Count;
        while (walk.Next(out ReadOnlySpan<byte> element))
        {
            Framing.SplitPair(element, 0, out ReadOnlySpan<byte> name, out _);
            if (name.Length < 2 || name.IndexOf((byte)0) != name.Length - 1)
                throw new RepositoryException("Invalid xattr: its name is empty or does not end in its only NUL");
        }
        return new XattrSet(serialized, count);
    }

    public bool Equals(XattrSet? other) => other is not null && Serialized.Span.SequenceEqual(other.Serialized.Span);

    public override bool Equals(object? obj) => Equals(obj as XattrSet);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Serialized.Span);
        return hash.ToHashCode();
    }
}
