using System.Globalization;
using System.Numerics;
using System.Text;

namespace OciOstree.Formats.Keyfile;

public sealed partial class KeyFile
{
    private static readonly char[] Blanks = [' ', '\t', '\v', '\f', '\r', '\n'];

    /// <summary>The unescaped value; null if there is none.</summary>
    /// <exception cref="KeyfileException">An escape sequence is none, or the value is not UTF-8.</exception>
    public string? GetString(string group, string key)
    {
        if (GetValue(group, key) is not { } raw)
            return null;
        CheckUtf8(key, raw);
        return Unescape(key, raw, null);
    }

    /// <summary>The value for a locale: <c>key[de_DE]</c>, then <c>key[de]</c>, then <c>key</c>.</summary>
    public string? GetLocaleString(string group, string key, string locale)
    {
        foreach (string variant in LocaleVariants(locale))
        {
            if (GetString(group, $"{key}[{variant}]") is { } translated)
                return translated;
        }
        return GetString(group, key);
    }

    /// <summary><c>true</c>/<c>1</c> or <c>false</c>/<c>0</c>; null if there is no such key.</summary>
    /// <exception cref="KeyfileException">The value is something else.</exception>
    public bool? GetBoolean(string group, string key) => GetValue(group, key)?.TrimEnd(Blanks) switch
    {
        null => null,
        "true" or "1" => true,
        "false" or "0" => false,
        _ => throw Uninterpretable(key),
    };

    /// <summary>A boolean or <c>maybe</c>; ostree also takes <c>yes</c> and <c>no</c> here. Null if there is no such key.</summary>
    /// <exception cref="KeyfileException">The value is something else.</exception>
    public Tristate? GetTristate(string group, string key) => GetValue(group, key)?.Trim(Blanks) switch
    {
        null => null,
        "maybe" => Tristate.Maybe,
        "true" or "1" or "yes" => Tristate.Yes,
        "false" or "0" or "no" => Tristate.No,
        var other => throw new KeyfileException($"Invalid tri-state value: {other}"),
    };

    /// <summary>A decimal number; null if there is no such key.</summary>
    /// <exception cref="KeyfileException">The value is no number, or does not fit.</exception>
    public int? GetInt32(string group, string key) => GetNumber<int>(group, key);

    /// <inheritdoc cref="GetInt32"/>
    public ulong? GetUInt64(string group, string key) => GetNumber<ulong>(group, key);

    private T? GetNumber<T>(string group, string key)
        where T : struct, INumberBase<T>
    {
        if (GetValue(group, key) is not { } raw)
            return null;
        string text = raw.Trim(Blanks);
        return T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value)
            ? value
            : throw new KeyfileException($"Value “{text}” cannot be interpreted as a number.");
    }

    /// <summary>The items of a list value, unescaped; a separator at the end does not make an empty item. Null if there is no such key.</summary>
    public string[]? GetStringList(string group, string key, char separator = ';')
    {
        if (GetValue(group, key) is not { } raw)
            return null;
        CheckUtf8(key, raw);
        var items = new List<string>();
        Unescape(key, raw, items, separator);
        return items.ToArray();
    }

    public void SetString(string group, string key, string value) => SetValue(group, key, Escape(value, null));

    public void SetBoolean(string group, string key, bool value) => SetValue(group, key, value ? "true" : "false");

    public void SetInteger(string group, string key, long value) => SetValue(group, key, value.ToString(CultureInfo.InvariantCulture));

    public void SetStringList(string group, string key, IEnumerable<string> values, char separator = ';') =>
        SetValue(group, key, string.Concat(values.Select(v => Escape(v, separator) + separator)));

    private static IEnumerable<string> LocaleVariants(string locale)
    {
        // lang_TERRITORY.CODESET@modifier: the code set never takes part.
        int at = locale.IndexOf('@', StringComparison.Ordinal);
        string modifier = at < 0 ? "" : locale[at..];
        string rest = at < 0 ? locale : locale[..at];
        int dot = rest.IndexOf('.', StringComparison.Ordinal);
        rest = dot < 0 ? rest : rest[..dot];
        int underscore = rest.IndexOf('_', StringComparison.Ordinal);
        string language = underscore < 0 ? rest : rest[..underscore];
        if (underscore >= 0 && modifier.Length > 0)
            yield return rest + modifier;
        if (underscore >= 0)
            yield return rest;
        if (modifier.Length > 0)
            yield return language + modifier;
        yield return language;
    }

    private static void CheckUtf8(string key, string raw)
    {
        if (!KeyfileText.IsUtf8(raw))
            throw new KeyfileException($"Key file contains key “{key}” with a value which is not UTF-8");
    }

    private static KeyfileException Uninterpretable(string key) => new($"Key file contains key “{key}” which has a value that cannot be interpreted.");

    private static string Unescape(string key, string raw, List<string>? items, char separator = ';')
    {
        var text = new StringBuilder(raw.Length);
        bool pending = false;
        for (int i = 0; i < raw.Length; i++)
        {
            char c = raw[i];
            if (items is not null && c == separator)
            {
                items.Add(text.ToString());
                text.Clear();
                pending = false;
                continue;
            }
            pending = true;
            if (c != '\\')
            {
                text.Append(c);
                continue;
            }
            if (++i == raw.Length)
                throw Uninterpretable(key);
            switch (raw[i])
            {
                case 's': text.Append(' '); break;
                case 'n': text.Append('\n'); break;
                case 't': text.Append('\t'); break;
                case 'r': text.Append('\r'); break;
                case '\\': text.Append('\\'); break;
                case var other when items is not null && other == separator: text.Append(other); break;
                default:
                    throw Uninterpretable(key);
            }
        }
        if (items is not null && pending)
            items.Add(text.ToString());
        return text.ToString();
    }

    /// <summary>Blanks are escaped only where reading would drop them: at the start of a value or of a list's item.</summary>
    private static string Escape(string value, char? separator)
    {
        var text = new StringBuilder(value.Length);
        bool leading = true;
        foreach (char c in value)
        {
            if (c == separator)
            {
                text.Append('\\').Append(c);
                leading = true;
                continue;
            }
            switch (c)
            {
                case ' ' when leading: text.Append("\\s"); continue;
                case '\t' when leading: text.Append("\\t"); continue;
                case '\n': text.Append("\\n"); continue;
                case '\r': text.Append("\\r"); continue;
                case '\\': text.Append("\\\\"); break;
                default: text.Append(c); break;
            }
            leading = false;
        }
        return text.ToString();
    }
}
