using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>
/// Writes JSON whose bytes depend on the values alone: members sorted by name, no white space, only what must be escaped is.
/// The framework's writer escapes by Unicode tables that change between versions, and an image's digest must not.
/// </summary>
internal sealed class StableJson
{
    private readonly Stack<List<(string Name, byte[] Value)>> objects = new();
    private ArrayBufferWriter<byte> output = new();

    internal static byte[] Write(Action<StableJson> write)
    {
        var json = new StableJson();
        write(json);
        return json.output.WrittenSpan.ToArray();
    }

    /// <summary>Begins an object. Its members may come in any order; unknown ones carried along are sorted in.</summary>
    internal void BeginObject(IReadOnlyDictionary<string, JsonElement>? others)
    {
        objects.Push([]);
        foreach (var (name, value) in others ?? System.Collections.Immutable.ImmutableDictionary<string, JsonElement>.Empty)
        {
            Member(name, () => Value(value));
        }
    }

    internal void EndObject()
    {
        var members = objects.Pop();
        members.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        Raw("{");
        for (var i = 0; i < members.Count; i++)
        {
            Raw(i == 0 ? "" : ",");
            Quoted(members[i].Name);
            Raw(":");
            output.Write(members[i].Value);
        }

        Raw("}");
    }

    internal void Member(string name, Action writeValue)
    {
        var outer = output;
        output = new ArrayBufferWriter<byte>();
        writeValue();
        objects.Peek().Add((name, output.WrittenSpan.ToArray()));
        output = outer;
    }

    internal void Text(string name, string? value)
    {
        if (value is not null)
        {
            Member(name, () => Quoted(value));
        }
    }

    internal void Number(string name, long? value)
    {
        if (value is { } number)
        {
            Member(name, () => Raw(number.ToString(CultureInfo.InvariantCulture)));
        }
    }

    internal void Boolean(string name, bool? value)
    {
        if (value is { } flag)
        {
            Member(name, () => Raw(flag ? "true" : "false"));
        }
    }

    internal void Map(string name, IReadOnlyDictionary<string, string>? map)
    {
        if (map is null)
        {
            return;
        }

        Member(name, () =>
        {
            BeginObject(null);
            foreach (var (key, value) in map)
            {
                Text(key, value);
            }

            EndObject();
        });
    }

    internal void List(string name, IReadOnlyList<string>? values)
    {
        if (values is not null)
        {
            Member(name, () => Array(values, Quoted));
        }
    }

    internal void List<T>(string name, IReadOnlyList<T> values, Action<T> write) => Member(name, () => Array(values, write));

    internal void Array<T>(IReadOnlyList<T> values, Action<T> write)
    {
        Raw("[");
        for (var i = 0; i < values.Count; i++)
        {
            Raw(i == 0 ? "" : ",");
            write(values[i]);
        }

        Raw("]");
    }

    private void Value(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                BeginObject(null);
                foreach (var member in element.EnumerateObject())
                {
                    Member(member.Name, () => Value(member.Value));
                }

                EndObject();
                break;
            case JsonValueKind.Array:
                Array([.. element.EnumerateArray()], Value);
                break;
            case JsonValueKind.String:
                Quoted(element.GetString()!);
                break;
            default:
                Raw(element.GetRawText());
                break;
        }
    }

    private void Quoted(string text)
    {
        Raw("\"");
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c >= 0x20 && c != '"' && c != '\\')
            {
                continue;
            }

            Raw(text.AsSpan(start, i - start));
            Raw(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ => $"\\u{(int)c:x4}",
            });
            start = i + 1;
        }

        Raw(text.AsSpan(start));
        Raw("\"");
    }

    private void Raw(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, output);
}
