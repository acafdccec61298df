using System.Text.Json;

namespace OciOstree.Container;

/// <summary>
/// JSON of which nothing may be overlooked: a member that is not known, or is there twice, refuses the whole, as containers/image has it. What
/// one reader sees no other one must see otherwise.
/// </summary>
internal static class StrictJson
{
    /// <exception cref="ContainerException">It is no JSON, or what reads it refuses it.</exception>
    internal static T Parse<T>(ReadOnlyMemory<byte> json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new ContainerException("it is no JSON", e);
        }
        catch (InvalidOperationException)
        {
            // What the reader throws for text that is not Unicode.
            throw new ContainerException("it has text that is not Unicode");
        }
    }

    /// <summary>The members of an object.</summary>
    /// <param name="known">All that there may be; any if null.</param>
    internal static Dictionary<string, JsonElement> Members(JsonElement element, string what, params string[]? known)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new ContainerException($"{what} is no object");
        }

        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            if (known is not null && !known.Contains(member.Name))
            {
                throw new ContainerException($"{what} has the unknown member '{Show(member.Name)}'");
            }

            if (!members.TryAdd(member.Name, member.Value))
            {
                throw new ContainerException($"{what} has '{Show(member.Name)}' twice");
            }
        }

        return members;
    }

    /// <summary>The members of an object that must have exactly these.</summary>
    internal static Dictionary<string, JsonElement> ExactMembers(JsonElement element, string what, params string[] names)
    {
        var members = Members(element, what, names);
        return Array.Find(names, name => !members.ContainsKey(name)) is { } missing ? throw new ContainerException($"{what} has no '{missing}'") : members;
    }

    internal static string Text(JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.String ? element.GetString()! : throw new ContainerException($"{what} is no text");

    internal static List<JsonElement> Items(JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : throw new ContainerException($"{what} is no list");

    /// <summary>Text of strangers, fit for a line of a message.</summary>
    internal static string Show(string text) => string.Concat(text.Take(200).Select(c => char.IsControl(c) ? ' ' : c));
}
