using System.Diagnostics.CodeAnalysis;

namespace OciOstree.Repository;

/// <summary>An object: a checksum and what kind of thing it names.</summary>
public readonly record struct ObjectName(Checksum Checksum, ObjectType Type) : IComparable<ObjectName>
{
    /// <summary>As ostree prints it: <c>CHECKSUM.dirtree</c>.</summary>
    public override string ToString() => $"{Checksum}.{Type.Word()}";

    /// <summary>Parses the form that <see cref="ToString"/> gives.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out ObjectName? name)
    {
        name = null;
        if (text.Length < Checksum.HexLength + 2 || text[Checksum.HexLength] != '.'
            || !Checksum.TryParse(text[..Checksum.HexLength], out Checksum checksum)
            || !ObjectTypes.TryParse(text[(Checksum.HexLength + 1)..], out ObjectType type))
            return false;
        name = new ObjectName(checksum, type);
        return true;
    }

    public int CompareTo(ObjectName other)
    {
        int order = Checksum.CompareTo(other.Checksum);
        return order != 0 ? order : Type.CompareTo(other.Type);
    }
}
