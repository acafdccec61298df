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
public sealed partial class KeyFile
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
}
