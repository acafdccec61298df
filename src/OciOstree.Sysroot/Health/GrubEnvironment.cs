using System.Text;

namespace OciOstree.Sysroot;

/// <summary>
/// GRUB's environment block (<c>grubenv</c>): variables that GRUB and the system hand to each other. The file has a fixed size, since GRUB writes it without
/// a file system driver that could allocate: a signature line, lines <c>NAME=VALUE</c> (backslash escapes itself and newlines), comments, and <c>#</c> up to the end.
/// </summary>
public sealed class GrubEnvironment
{
    /// <summary>The usual size in bytes.</summary>
    public const int Size = 1024;

    private const int LargestSize = 1 << 20;
    private static ReadOnlySpan<byte> Signature => "# GRUB Environment Block\n"u8;

    // Comments and all, in the order of the file; a comment has no name.
    private readonly List<(string? Name, string Text)> lines;
    private readonly int size;

    private GrubEnvironment(List<(string? Name, string Text)> lines, int size)
    {
        this.lines = lines;
        this.size = size;
    }

    /// <summary>An empty block.</summary>
    public GrubEnvironment() : this([], Size)
    {
    }

    /// <summary>The names, in the order of the file.</summary>
    public IEnumerable<string> Names => lines.Select(line => line.Name).OfType<string>();

    /// <summary>A variable's value; setting null removes it.</summary>
    public string? this[string name]
    {
        get => lines.Find(line => line.Name == name) is { Name: not null } found ? found.Text : null;
        set
        {
            if (name.Length == 0 || name.AsSpan().IndexOfAny("=#\n\\") >= 0)
            {
                throw new ArgumentException($"'{name}' is no name of a variable", nameof(name));
            }
            int at = lines.FindIndex(line => line.Name == name);
            if (value is null)
            {
                lines.RemoveAll(line => line.Name == name);
            }
            else if (at >= 0)
            {
                lines[at] = (name, value);
            }
            else
            {
                lines.Add((name, value));
            }
        }
    }

    /// <exception cref="GrubEnvironmentException">There is no signature, a line is cut off, or the file is larger than any such block.</exception>
    public static GrubEnvironment Parse(ReadOnlySpan<byte> content)
    {
        if (!content.StartsWith(Signature))
        {
            throw new GrubEnvironmentException("the signature of a GRUB environment block is missing");
        }
        if (content.Length > LargestSize)
        {
            throw new GrubEnvironmentException($"{content.Length} bytes are too many for a GRUB environment block");
        }
        var lines = new List<(string? Name, string Text)>();
        for (ReadOnlySpan<byte> rest = content[Signature.Length..]; !rest.IsEmpty;)
        {
            int end = EndOfLine(rest);
            if (rest[0] == (byte)'#')
            {
                if (end < 0)
                {
                    break;   // the filling
                }
                // GRUB itself fills with single signs, which may stand before a line's end, too.
                if (rest[..end].IndexOfAnyExcept((byte)'#') >= 0)
                {
                    lines.Add((null, Encoding.Latin1.GetString(rest[..end])));
                }
            }
            else if (end < 0)
            {
                throw new GrubEnvironmentException("the last line of the GRUB environment block has no end");
            }
            else if (end > 0)
            {
                int equals = rest[..end].IndexOf((byte)'=');
                if (equals > 0)
                {
                    lines.Add((Encoding.Latin1.GetString(rest[..equals]), Unescape(rest[(equals + 1)..end])));
                }
            }
            rest = rest[(end + 1)..];
        }
        return new GrubEnvironment(lines, Math.Max(content.Length, Signature.Length));
    }

    /// <summary>The block, as large as the one that was parsed.</summary>
    /// <exception cref="GrubEnvironmentException">The variables do not fit.</exception>
    public byte[] Serialize()
    {
        var text = new StringBuilder(Encoding.Latin1.GetString(Signature));
        foreach ((string? name, string value) in lines)
        {
            text.Append(name is null ? value : $"{name}={value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\\n", StringComparison.Ordinal)}").Append('\n');
        }
        if (text.Length > size)
        {
            throw new GrubEnvironmentException($"the variables need {text.Length} bytes, and the GRUB environment block has {size}");
        }
        return Encoding.Latin1.GetBytes(text.Append('#', size - text.Length).ToString());
    }

    /// <summary>The newline that ends the first line: one with a backslash before it belongs to the value.</summary>
    private static int EndOfLine(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'\\')
            {
                i++;
            }
            else if (text[i] == (byte)'\n')
            {
                return i;
            }
        }
        return -1;
    }

    private static string Unescape(ReadOnlySpan<byte> value)
    {
        var text = new StringBuilder();
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] == (byte)'\\' && i + 1 < value.Length)
            {
                i++;
            }
            text.Append((char)value[i]);
        }
        return text.ToString();
    }
}
