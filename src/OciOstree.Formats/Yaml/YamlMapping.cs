using System.Text;

namespace OciOstree.Formats.Yaml;

/// <summary>
/// A mapping of a YAML document. A value is a <see cref="YamlScalar"/> or a <see cref="YamlMapping"/>: what configuration of container
/// registries consists of. Lists, anchors, tags, folded and literal text and values over several lines are refused, so that nothing is
/// read otherwise than whoever wrote it meant it.
/// </summary>
public sealed class YamlMapping
{
    private readonly Dictionary<string, object> values = new(StringComparer.Ordinal);

    internal YamlMapping(int line) => Line = line;

    /// <summary>Where it begins, counted from 1.</summary>
    public int Line { get; }

    /// <summary>In no particular order.</summary>
    public IReadOnlyDictionary<string, object> Values => values;

    /// <summary>Reads a whole document; an empty one is an empty mapping.</summary>
    /// <exception cref="YamlException">It is not UTF-8, not YAML, or more than is read here.</exception>
    public static YamlMapping Parse(ReadOnlySpan<byte> document)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(document);
        }
        catch (DecoderFallbackException)
        {
            throw new YamlException(1, "it is not UTF-8");
        }

        return new YamlReader(text).ReadDocument();
    }

    internal bool TryAdd(string key, object value) => values.TryAdd(key, value);
}
