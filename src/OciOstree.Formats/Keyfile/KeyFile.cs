using System.Globalization;
using System.Text;

namespace OciOstree.Formats.Keyfile;

/// <summary>
/// A keyfile (<c>[group]</c>, <c>key=value</c>, <c>#</c> comments) with the meaning that GLib's GKeyFile gives it: a
/// repository's <c>config</c>, an origin, <c>os-release</c>-like data. Order, comments and blank lines are kept.
/// </summary>
/// <remarks>
/// A group that occurs twice is one group. Of a key that occurs twice the last one counts. Values are stored as they are
/// in the file; the typed getters and setters escape and unescape. Not safe for concurrent writing.
/// </remarks>
public sealed class KeyFile
{
    /// <summary>A key with its value, or (key is null) a comment or blank line as it is.</summary>
    private sealed class Line(string? key, string value)
    {
        public readonly string? Key = key;
        public string Value = value;
    }

    private sealed class Group(string? name)
    {
        /// <summary>Null for what stands before the first group.</summary>
        public readonly string? Name = name;
        public readonly List<Line> Lines = [];
        // The last line of each key.
        public readonly Dictionary<string, Line> ByKey = new(StringComparer.Ordinal);
    }

    private readonly List<Group> groups = [new Group(null)];
    private readonly Dictionary<string, Group> byName = new(StringComparer.Ordinal);

    /// <summary>The groups' names in order.</summary>
    public IReadOnlyList<string> Groups => groups.Where(g => g.Name is not null).Select(g => g.Name!).ToList();

    /// <param name="data">The file's bytes.</param>
    /// <param name="keepComments">False drops comments and blank lines, as GKeyFile does unless told otherwise.</param>
    /// <exception cref="KeyfileException">A line is no key-value pair, group or comment, or a pair stands before any group.</exception>
    public static KeyFile Parse(ReadOnlySpan<byte> data, bool keepComments = true)
    {
        var file = new KeyFile();
        Group current = file.groups[0];
        int number = 0;
        while (!data.IsEmpty)
        {
            int end = data.IndexOf((byte)'\n');
            ReadOnlySpan<byte> raw = end < 0 ? data : data[..end];
            data = end < 0 ? default : data[(end + 1)..];
            if (end >= 0 && raw.Length > 0 && raw[^1] == '\r')
                raw = raw[..^1];
            number++;
            if (raw.Contains((byte)0))
                throw new KeyfileException($"line {number} of the key file contains a zero byte");
            string text = KeyfileText.Decode(raw);
            string trimmed = text.TrimStart(Blanks);
            if (trimmed.Length == 0 || trimmed[0] == '#')
            {
                if (keepComments)
                    current.Lines.Add(new Line(null, text));
            }
            else if (TryGroup(trimmed, out string name))
            {
                if (!IsGroupName(name))
                    throw new KeyfileException($"Invalid group name: {name}");
                current = file.GetOrAddGroup(name);
            }
            else if (trimmed.IndexOf('=') is > 0 and int equals)
            {
                if (current.Name is null)
                    throw new KeyfileException("Key file does not start with a group");
                string key = trimmed[..equals].TrimEnd(Blanks);
                if (!IsKeyName(key))
                    throw new KeyfileException($"Invalid key name: {key}");
                var line = new Line(key, trimmed[(equals + 1)..].TrimStart(Blanks));
                current.Lines.Add(line);
                current.ByKey[key] = line;
            }
            else
            {
                throw new KeyfileException($"Key file contains line “{text}” which is not a key-value pair, group, or comment");
            }
        }
        return file;
    }

    /// <inheritdoc cref="Parse(ReadOnlySpan{byte}, bool)"/>
    public static KeyFile Parse(string text, bool keepComments = true) => Parse(KeyfileText.Encode(text), keepComments);

    /// <summary>The file's bytes: groups are separated by a blank line unless a comment already does.</summary>
    public byte[] Serialize() => KeyfileText.Encode(ToString());

    public override string ToString()
    {
        var text = new StringBuilder();
        bool apart = true;
        foreach (Group group in groups)
        {
            // A comment right above a group is about that group: it is not torn off.
            if (!apart)
                text.Append('\n');
            if (group.Name is not null)
                text.Append('[').Append(group.Name).Append("]\n");
            foreach (Line line in group.Lines)
            {
                if (line.Key is not null)
                    text.Append(line.Key).Append('=');
                text.Append(line.Value).Append('\n');
            }
            if (group.Name is not null || group.Lines.Count > 0)
                apart = group.Lines.Count > 0 && group.Lines[^1].Key is null;
        }
        return text.ToString();
    }

    /// <summary>A copy that can be changed without changing this one.</summary>
    public KeyFile Clone()
    {
        var copy = new KeyFile();
        foreach (Group group in groups)
        {
            Group target = group.Name is null ? copy.groups[0] : copy.GetOrAddGroup(group.Name);
            foreach (Line line in group.Lines)
            {
                var duplicate = new Line(line.Key, line.Value);
                target.Lines.Add(duplicate);
                if (line.Key is not null)
                    target.ByKey[line.Key] = duplicate;
            }
        }
        return copy;
    }

    public bool HasGroup(string group) => byName.ContainsKey(group);

    public bool HasKey(string group, string key) => Find(group, key) is not null;

    /// <summary>A group's keys in order; empty if there is no such group.</summary>
    public IReadOnlyList<string> Keys(string group) =>
        byName.TryGetValue(group, out Group? found) ? found.Lines.Where(l => l.Key is not null).Select(l => l.Key!).ToList() : [];

    /// <summary>The value as it is in the file, escapes and all; null if there is none.</summary>
    public string? GetValue(string group, string key) => Find(group, key)?.Value;

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
    public int? GetInt32(string group, string key)
    {
        if (GetValue(group, key) is not { } raw)
            return null;
        string text = raw.Trim(Blanks);
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw new KeyfileException($"Value “{text}” cannot be interpreted as a number.");
    }

    /// <inheritdoc cref="GetInt32"/>
    public ulong? GetUInt64(string group, string key)
    {
        if (GetValue(group, key) is not { } raw)
            return null;
        string text = raw.Trim(Blanks);
        return ulong.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out ulong value)
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

    /// <summary>Stores a value as it is; the group is made if it is missing, a new key goes after the group's last one.</summary>
    /// <exception cref="KeyfileException">The group's or key's name can not be written to a keyfile.</exception>
    public void SetValue(string group, string key, string value)
    {
        if (!IsGroupName(group))
            throw new KeyfileException($"Invalid group name: {group}");
        if (!IsKeyName(key))
            throw new KeyfileException($"Invalid key name: {key}");
        if (value.AsSpan().IndexOfAny('\n', '\0') >= 0)
            throw new KeyfileException($"the value of key {key} contains a line break");
        Group target = GetOrAddGroup(group);
        if (target.ByKey.TryGetValue(key, out Line? line))
        {
            line.Value = value;
            return;
        }
        line = new Line(key, value);
        target.ByKey.Add(key, line);
        // Comments and blank lines at a group's end belong to what follows.
        target.Lines.Insert(target.Lines.FindLastIndex(l => l.Key is not null) + 1, line);
    }

    public void SetString(string group, string key, string value) => SetValue(group, key, Escape(value, null));

    public void SetBoolean(string group, string key, bool value) => SetValue(group, key, value ? "true" : "false");

    public void SetInteger(string group, string key, long value) => SetValue(group, key, value.ToString(CultureInfo.InvariantCulture));

    public void SetStringList(string group, string key, IEnumerable<string> values, char separator = ';') =>
        SetValue(group, key, string.Concat(values.Select(v => Escape(v, separator) + separator)));

    /// <summary>False if there was none.</summary>
    public bool RemoveKey(string group, string key)
    {
        if (!byName.TryGetValue(group, out Group? found) || !found.ByKey.Remove(key))
            return false;
        found.Lines.RemoveAll(l => l.Key == key);
        return true;
    }

    /// <summary>False if there was none.</summary>
    public bool RemoveGroup(string group)
    {
        if (!byName.Remove(group, out Group? found))
            return false;
        bool last = groups[^1] == found;
        groups.Remove(found);
        if (last)
        {
            // The blank line that set the two groups apart would now end the file.
            List<Line> lines = groups[^1].Lines;
            while (lines.Count > 0 && lines[^1] is { Key: null, Value: "" })
                lines.RemoveAt(lines.Count - 1);
        }
        return true;
    }

    private static readonly char[] Blanks = [' ', '\t', '\v', '\f', '\r', '\n'];

    private Line? Find(string group, string key) =>
        byName.TryGetValue(group, out Group? found) ? found.ByKey.GetValueOrDefault(key) : null;

    private Group GetOrAddGroup(string name)
    {
        if (byName.TryGetValue(name, out Group? group))
            return group;
        group = new Group(name);
        groups.Add(group);
        byName.Add(name, group);
        return group;
    }

    private static bool TryGroup(string line, out string name)
    {
        name = "";
        int close = line.IndexOf(']');
        if (line[0] != '[' || close < 0 || line.AsSpan(close + 1).TrimEnd(Blanks).Length != 0)
            return false;
        name = line[1..close];
        return true;
    }

    private static bool IsGroupName(string name)
    {
        foreach (char c in name)
        {
            if (c is '[' or ']' or '\0' or '\n' || char.IsControl(c))
                return false;
        }
        return name.Length > 0;
    }

    private static bool IsKeyName(string name)
    {
        int bracket = name.AsSpan().IndexOfAny("=[]\n\0");
        string bare = bracket < 0 ? name : name[..bracket];
        if (bare.Length == 0 || bare[0] == ' ' || bare[^1] == ' ')
            return false;
        if (bracket < 0)
            return true;
        if (name[bracket] != '[' || name[^1] != ']')
            return false;
        foreach (char c in name.AsSpan(bracket + 1, name.Length - bracket - 2))
        {
            if (!char.IsLetterOrDigit(c) && c is not ('-' or '_' or '.' or '@'))
                return false;
        }
        return true;
    }

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
