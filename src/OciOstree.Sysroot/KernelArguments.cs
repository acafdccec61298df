using System.Text;

namespace OciOstree.Sysroot;

/// <summary>
/// A kernel command line as an ordered list of <c>key</c> and <c>key=value</c> words; a key may stand more than once (<c>console=</c>).
/// Words are separated by single spaces outside double quotes; quotes are part of the word, as the kernel wants them.
/// </summary>
public sealed class KernelArguments
{
    private readonly List<(string Key, string? Value)> words = [];

    public int Count => words.Count;

    /// <summary>The words of a command line; null is an empty one.</summary>
    public static KernelArguments Parse(string? commandLine)
    {
        var arguments = new KernelArguments();
        if (commandLine is not null)
        {
            foreach (string word in Split(commandLine))
            {
                arguments.Append(word);
            }
        }
        return arguments;
    }

    public static KernelArguments From(IEnumerable<string> words)
    {
        var arguments = new KernelArguments();
        foreach (string word in words)
        {
            arguments.Append(word);
        }
        return arguments;
    }

    /// <summary>The running kernel's command line without what boot loaders add for themselves (<c>BOOT_IMAGE=</c> by GRUB, <c>initrd=</c> by systemd-boot).</summary>
    public static KernelArguments FromProcCommandLine()
    {
        string line;
        try
        {
            line = File.ReadAllText("/proc/cmdline").TrimEnd();
        }
        catch (IOException e)
        {
            throw new SysrootException("Reading /proc/cmdline", e);
        }
        return From(Split(line).Where(word => !word.StartsWith("BOOT_IMAGE=", StringComparison.Ordinal) && !word.StartsWith("initrd=", StringComparison.Ordinal)));
    }

    public bool Contains(string word)
    {
        string key = SplitWord(word).Key;
        return words.Exists(w => w.Key == key);
    }

    /// <summary>The value of the key's last word; null when the key is missing or stands without a value.</summary>
    public string? LastValue(string key) => words.FindLast(w => w.Key == key).Value;

    /// <summary>Adds at the end, whether or not the key is there. One string may carry several words.</summary>
    public void Append(string words)
    {
        foreach (string word in Split(words))
        {
            this.words.Add(SplitWord(word));
        }
    }

    public void AppendIfMissing(string word)
    {
        if (!Contains(word))
        {
            Append(word);
        }
    }

    /// <summary>Puts the word where the key first stood and drops the key's other words; at the end when the key is new. The string is one word, whatever it holds.</summary>
    public void Replace(string word)
    {
        (string Key, string? Value) entry = SplitWord(word);
        int first = words.FindIndex(w => w.Key == entry.Key);
        if (first < 0)
        {
            words.Add(entry);
            return;
        }
        words.RemoveAll(w => w.Key == entry.Key);
        words.Insert(first, entry);
    }

    /// <summary>
    /// Changes a value that must exist: <c>key=new</c> for a key that stands once, <c>key=old=new</c> where it stands more often.
    /// </summary>
    /// <exception cref="SysrootException">The key or the old value is missing, or which one is meant is not clear.</exception>
    public void ReplaceExisting(string words)
    {
        foreach (string word in Split(words))
        {
            (string key, string? value) = SplitWord(word);
            List<int> places = PlacesOf(key);
            if (value is not null && value.Contains('='))
            {
                (string oldValue, string? newValue) = SplitWord(value);
                int place = places.FindIndex(i => this.words[i].Value == oldValue);
                if (place < 0)
                {
                    throw new SysrootException($"No karg '{key}={oldValue}' found");
                }
                this.words[places[place]] = (key, newValue);
                continue;
            }
            if (places.Count > 1)
            {
                throw new SysrootException($"Multiple values for key '{key}' found");
            }
            this.words[places[0]] = (key, value);
        }
    }

    /// <summary>Removes <c>key=value</c>, or <c>key</c> alone where the key stands once.</summary>
    /// <exception cref="SysrootException">It is not there, or which one is meant is not clear.</exception>
    public void Delete(string words)
    {
        foreach (string word in Split(words))
        {
            (string key, string? value) = SplitWord(word);
            List<int> places = PlacesOf(key);
            if (places.Count == 1)
            {
                if (value is not null && this.words[places[0]].Value != value)
                {
                    throw new SysrootException($"No karg '{key}={value}' found");
                }
                this.words.RemoveAt(places[0]);
                continue;
            }
            int place = places.FindIndex(i => this.words[i].Value == value);
            if (place < 0)
            {
                throw new SysrootException(value is null ? $"Multiple values for key '{word}' found" : $"No karg '{word}' found");
            }
            this.words.RemoveAt(places[place]);
        }
    }

    public void DeleteIfPresent(string word)
    {
        if (Contains(word))
        {
            Delete(word);
        }
    }

    public IReadOnlyList<string> ToList() => words.ConvertAll(Word);

    /// <summary>The command line: words joined by single spaces.</summary>
    public override string ToString() => string.Join(' ', words.Select(w => Word(w)));

    /// <summary>Splits at spaces outside double quotes. An unterminated quote takes the rest: boot loaders reformat <c>/proc/cmdline</c>, and half a word is better than a refusal.</summary>
    internal static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        bool quoted = false;
        foreach (char c in line.AsSpan().TrimStart(' '))
        {
            if (c == ' ' && !quoted)
            {
                words.Add(word.ToString());
                word.Clear();
                continue;
            }
            quoted ^= c == '"';
            word.Append(c);
        }
        if (word.Length > 0)
        {
            words.Add(word.ToString());
        }
        return words;
    }

    private List<int> PlacesOf(string key)
    {
        var places = new List<int>();
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i].Key == key)
            {
                places.Add(i);
            }
        }
        return places.Count > 0 ? places : throw new SysrootException($"No key '{key}' found");
    }

    private static (string Key, string? Value) SplitWord(string word)
    {
        int equals = word.IndexOf('=');
        return equals < 0 ? (word, null) : (word[..equals], word[(equals + 1)..]);
    }

    private static string Word((string Key, string? Value) word) => word.Value is null ? word.Key : $"{word.Key}={word.Value}";
}
