using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OciOstree.Cli;

/// <summary>What a verb prints: JSON for programs, sizes and times for people.</summary>
internal static class Output
{
    /// <summary>Writes one JSON value, indented, and a newline.</summary>
    public static void Json<T>(T value, JsonTypeInfo<T> type)
    {
        using var stream = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        stream.WriteByte((byte)'\n');
    }

    /// <summary>Writes one JSON value made member by member, indented, and a newline.</summary>
    public static void Json(Action<Utf8JsonWriter> write)
    {
        using var stream = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(writer);
        }

        stream.WriteByte((byte)'\n');
    }

    /// <summary>A size as people read it, in decimal units as GLib's g_format_size and ostree print them.</summary>
    public static string Size(long bytes)
    {
        if (bytes < 1000)
        {
            return bytes == 1 ? "1 byte" : $"{bytes} bytes";
        }

        double value = bytes;
        foreach (var unit in (ReadOnlySpan<string>)["kB", "MB", "GB", "TB", "PB"])
        {
            value /= 1000;
            if (value < 999.95 || unit == "PB")
            {
                return $"{value:0.0} {unit}";
            }
        }

        throw new System.Diagnostics.UnreachableException();
    }
}
