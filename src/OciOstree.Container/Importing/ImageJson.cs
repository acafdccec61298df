using System.Text;
using System.Text.Json;

namespace OciOstree.Container;

/// <summary>
/// Manifests and configurations as merge commits hold them: sorted keys, no white space, and, unlike OLPC's canonical JSON, control
/// characters escaped, since a build's commands in the history have line breaks and the result is to be parsed again.
/// </summary>
internal static class ImageJson
{
    internal static string Canonical(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var output = new StringBuilder(json.Length);
            Write(output, document.RootElement);
            return output.ToString();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is what the reader says of half a surrogate pair.
            throw new ContainerException("the image's metadata is not valid JSON", e);
        }
    }

    private static void Write(StringBuilder output, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var member in value.EnumerateObject())
                {
                    members[member.Name] = member.Value;
                }

                output.Append('{');
                var separator = "";
                foreach (var (name, member) in members)
                {
                    output.Append(separator);
                    Quote(output, name);
                    output.Append(':');
                    Write(output, member);
                    separator = ",";
                }

                output.Append('}');
                break;
            case JsonValueKind.Array:
                output.Append('[');
                separator = "";
                foreach (var element in value.EnumerateArray())
                {
                    output.Append(separator);
                    Write(output, element);
                    separator = ",";
                }

                output.Append(']');
                break;
            case JsonValueKind.String:
                Quote(output, value.GetString()!);
                break;
            default:
                output.Append(value.GetRawText());
                break;
        }
    }

    private static void Quote(StringBuilder output, string text)
    {
        output.Append('"');
        foreach (var c in text)
        {
            switch (c)
            {
                case '"' or '\\':
                    output.Append('\\').Append(c);
                    break;
                case '\n':
                    output.Append("\\n");
                    break;
                case '\t':
                    output.Append("\\t");
                    break;
                case '\r':
                    output.Append("\\r");
                    break;
                case '\b':
                    output.Append("\\b");
                    break;
                case '\f':
                    output.Append("\\f");
                    break;
                case < ' ':
                    output.Append("\\u00").Append(((int)c).ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
                    break;
                default:
                    output.Append(c);
                    break;
            }
        }

        output.Append('"');
    }
}
