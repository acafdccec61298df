using System.Buffers;
using System.Text;
using System.Text.Json;

namespace OciOstree.Formats.Json;

/// <summary>
/// OLPC's canonical JSON (https://wiki.laptop.org/go/Canonical_JSON) as the Rust crate olpc-cjson writes it, which is what
/// ostree-ext stores manifests and image configurations in: sorted keys, no white space, only quotes and backslashes
/// escaped (control characters stand as they are, so the result need not be JSON), no fractions.
/// </summary>
/// <remarks>Text is written as it is given: it is expected in Unicode's normalisation form C, where the crate would convert it.</remarks>
public static class CanonicalJson
{
    /// <exception cref="CanonicalJsonException">A number is not an integer of at most 64 bits, or text is not valid Unicode.</exception>
    public static byte[] Serialize(JsonElement value)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(output, value);
        return output.WrittenSpan.ToArray();
    }

    /// <inheritdoc cref="Serialize(JsonElement)"/>
    /// <param name="json">One JSON value in UTF-8.</param>
    /// <exception cref="CanonicalJsonException">As above, or the bytes are not JSON.</exception>
    public static byte[] Serialize(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Serialize(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new CanonicalJsonException(e.Message);
        }
    }

    private static void Write(ArrayBufferWriter<byte> output, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(output, value);
                break;
            case JsonValueKind.Array:
                output.Write("["u8);
                bool first = true;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    if (!first)
                        output.Write(","u8);
                    first = false;
                    Write(output, item);
                }
                output.Write("]"u8);
                break;
            case JsonValueKind.String:
                output.Write(Quote(Text(() => value.GetString()!)));
                break;
            case JsonValueKind.Number:
                WriteNumber(output, value);
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.Null:
                output.Write("null"u8);
                break;
            default:
                throw new CanonicalJsonException("there is no JSON value");
        }
    }

    private static void WriteObject(ArrayBufferWriter<byte> output, JsonElement value)
    {
        // Sorted by the bytes as written, quotes and escapes included: "a!" comes before "a". Of equal keys the last one counts.
        var members = new SortedDictionary<byte[], JsonElement>(ByteOrder.Instance);
        foreach (JsonProperty property in value.EnumerateObject())
            members[Quote(Text(() => property.Name))] = property.Value;
        output.Write("{"u8);
        bool first = true;
        foreach ((byte[] name, JsonElement member) in members)
        {
            if (!first)
                output.Write(","u8);
            first = false;
            output.Write(name);
            output.Write(":"u8);
            Write(output, member);
        }
        output.Write("}"u8);
    }

    private static void WriteNumber(ArrayBufferWriter<byte> output, JsonElement value)
    {
        string raw = value.GetRawText();
        // "-0" is a fraction's zero to JSON readers that tell integers and fractions apart.
        if (raw == "-0" || raw.AsSpan().IndexOfAny(".eE") >= 0 || !(value.TryGetInt64(out _) || value.TryGetUInt64(out _)))
            throw new CanonicalJsonException($"the number {raw} is not allowed in canonical JSON");
        output.Write(Encoding.ASCII.GetBytes(raw));
    }

    private static string Text(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw new CanonicalJsonException("a JSON string is not valid Unicode");
        }
    }

    private static byte[] Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (char c in text)
        {
            if (c is '"' or '\\')
                quoted.Append('\\');
            quoted.Append(c);
        }
        return Encoding.UTF8.GetBytes(quoted.Append('"').ToString());
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
