namespace OciOstree.Formats.Toml;

/// <summary>
/// A table of a TOML document. A value is a <see cref="string"/>, a <see cref="long"/>, a <see cref="double"/>, a <see cref="bool"/>,
/// a <see cref="List{T}"/> of values or a <see cref="TomlTable"/>.
/// </summary>
public sealed class TomlTable
{
    private readonly Dictionary<string, object> values = new(StringComparer.Ordinal);

    /// <summary>In no particular order.</summary>
    public IReadOnlyDictionary<string, object> Values => values;

    /// <summary>Set by a header or as an inline table, so that it may not be set again.</summary>
    internal bool IsClosed { get; set; }

    /// <summary>Reads a whole document (TOML 1.0 without dates).</summary>
    /// <exception cref="TomlException">It is none.</exception>
    public static TomlTable Parse(string text) => new TomlReader(text).ReadDocument();

    /// <summary>A member of one type; null if it is missing or of another type.</summary>
    public T? Get<T>(string key)
        where T : class => values.GetValueOrDefault(key) as T;

    /// <summary>A boolean member; null if it is missing or something else.</summary>
    public bool? GetBoolean(string key) => values.GetValueOrDefault(key) as bool?;

    /// <summary>The tables of an array of tables; none if it is missing or something else.</summary>
    public IEnumerable<TomlTable> GetTables(string key) => Get<List<object>>(key)?.OfType<TomlTable>() ?? [];

    /// <summary>The strings of an array; none if it is missing or something else.</summary>
    public IEnumerable<string> GetStrings(string key) => Get<List<object>>(key)?.OfType<string>() ?? [];

    internal bool TryAdd(string key, object value) => values.TryAdd(key, value);
}
