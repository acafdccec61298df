using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>Reads members of JSON from elsewhere; every surprise is a <see cref="RegistryException"/>.</summary>
internal static class Json
{
    /// <summary>Parses and reads a whole document. A null member counts as missing everywhere, as Go's decoder has it.</summary>
    internal static T Parse<T>(ReadOnlyMemory<byte> bytes, string what, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            RequireObject(document.RootElement, what);
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new RegistryException($"invalid {what}: {Printable.Clip(e.Message)}");
        }
        catch (InvalidOperationException)
        {
            // What JsonElement throws for a string whose escapes are not Unicode.
            throw new RegistryException($"invalid {what}: text that is not Unicode");
        }
    }

    internal static void RequireObject(JsonElement element, string what)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new RegistryException($"invalid {what}: not a JSON object");
        }
    }

    internal static bool TryGet(JsonElement element, string name, out JsonElement value) =>
        element.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    internal static string? String(JsonElement element, string name, string what)
    {
        if (!TryGet(element, name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, what, "a string");
    }

    internal static bool? Boolean(JsonElement element, string name, string what)
    {
        if (!TryGet(element, name, out var value))
        {
            return null;
        }

        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(name, what, "true or false");
    }

    internal static long? Int64(JsonElement element, string name, string what)
    {
        if (!TryGet(element, name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : throw Wrong(name, what, "an integer");
    }

    internal static long RequireInt64(JsonElement element, string name, string what) => Int64(element, name, what) ?? throw Wrong(name, what, "there");

    internal static Digest RequireDigest(JsonElement element, string name, string what) =>
        Digest.Parse(String(element, name, what) ?? throw Wrong(name, what, "there"));

    internal static IReadOnlyList<string>? Strings(JsonElement element, string name, string what)
    {
        if (!TryGet(element, name, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(name, what, "a list");
        }

        var result = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            result.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(name, what, "a list of strings"));
        }

        return result;
    }

    internal static IReadOnlyDictionary<string, string>? StringMap(JsonElement element, string name, string what)
    {
        if (!TryGet(element, name, out var value))
        {
            return null;
        }

        RequireObject(value, $"{what}: {name}");
        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            result[member.Name] = member.Value.ValueKind switch
            {
                JsonValueKind.String => member.Value.GetString()!,
                JsonValueKind.Null => "",
                _ => throw Wrong(member.Name, $"{what}: {name}", "a string"),
            };
        }

        return result;
    }

    internal static IReadOnlyList<T> List<T>(JsonElement element, string name, string what, Func<JsonElement, T> read)
    {
        if (!TryGet(element, name, out var value))
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(name, what, "a list");
        }

        var result = new List<T>();
        foreach (var item in value.EnumerateArray())
        {
            result.Add(read(item));
        }

        return result;
    }

    /// <summary>The members not named here, detached from the document; null if there are none.</summary>
    internal static IReadOnlyDictionary<string, JsonElement>? Others(JsonElement element, params ReadOnlySpan<string> known)
    {
        SortedDictionary<string, JsonElement>? result = null;
        foreach (var member in element.EnumerateObject())
        {
            if (!known.Contains(member.Name))
            {
                RequireUnicode(member.Value);
                (result ??= new(StringComparer.Ordinal))[member.Name] = member.Value.Clone();
            }
        }

        return result;
    }

    /// <summary>Reads all text in a value that is kept unread: what is not Unicode would fail when it is written.</summary>
    private static void RequireUnicode(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _ = value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    RequireUnicode(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    _ = member.Name;
                    RequireUnicode(member.Value);
                }

                break;
        }
    }

    private static RegistryException Wrong(string name, string what, string wanted) =>
        new($"invalid {what}: '{Printable.Clip(name)}' is not {wanted}");
}
