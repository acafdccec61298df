using System.Text;

namespace OciOstree.Formats.BootLoaderSpec;

/// <summary>
/// A Boot Loader Specification entry (type #1), a file like <c>loader/entries/ostree-1.conf</c>: read and written as
/// ostree does, so that both find their own keys in the other's files.
/// </summary>
/// <remarks>
/// A line is a key, one blank, a value. Of a key that occurs twice the last one counts, except that <c>initrd</c> may
/// occur often: the first is the deployment's own, further ones are overlays. Keys that nobody here knows are kept.
/// </remarks>
public sealed class BootEntry
{
    // The order in which ostree writes the keys it knows, whatever they were set in.
    private static readonly string[] KnownOrder = ["title", "version", "options", "devicetree", "linux", "initrd"];

    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    // In the order of the file; "initrd" is the first one only.
    private readonly List<string> keys = [];
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    /// <summary>Shown by the boot menu.</summary>
    public string? Title { get => Get("title"); set => Set("title", value); }

    /// <summary>What boot loaders sort by: ostree counts it down from the number of deployments.</summary>
    public string? Version { get => Get("version"); set => Set("version", value); }

    /// <summary>The kernel command line.</summary>
    public string? Options { get => Get("options"); set => Set("options", value); }

    /// <summary>The kernel's path on the boot file system.</summary>
    public string? Linux { get => Get("linux"); set => Set("linux", value); }

    /// <summary>The initramfs' path on the boot file system; further ones are in <see cref="OverlayInitrds"/>.</summary>
    public string? Initrd { get => Get("initrd"); set => Set("initrd", value); }

    /// <summary>One device tree blob's path.</summary>
    public string? DeviceTree { get => Get("devicetree"); set => Set("devicetree", value); }

    /// <summary>The path of a directory of device tree blobs.</summary>
    public string? FdtDirectory { get => Get("fdtdir"); set => Set("fdtdir", value); }

    /// <summary>Initramfs images loaded over the first.</summary>
    public List<string> OverlayInitrds { get; } = [];

    /// <summary>The keys present, in the order of the file.</summary>
    public IReadOnlyList<string> Keys => keys;

    public string? Get(string key) => values.GetValueOrDefault(key);

    /// <summary>Sets a key, or removes it if the value is null.</summary>
    /// <exception cref="BootEntryException">The key or value can not stand on a line.</exception>
    public void Set(string key, string? value)
    {
        if (value is null)
        {
            if (values.Remove(key))
                keys.Remove(key);
            return;
        }
        if (key.Length == 0 || !char.IsAsciiLetter(key[0]) || key.AsSpan().IndexOfAny(" \t\n") >= 0)
            throw new BootEntryException($"\"{key}\" can not be a key of a boot entry");
        CheckValue(key, value);
        if (!values.ContainsKey(key))
            keys.Add(key);
        values[key] = value;
    }

    /// <exception cref="BootEntryException">The bytes are not UTF-8.</exception>
    public static BootEntry Parse(ReadOnlySpan<byte> data)
    {
        string text;
        try
        {
            text = StrictUtf8.GetString(data);
        }
        catch (DecoderFallbackException)
        {
            throw new BootEntryException("a boot entry is not valid UTF-8");
        }
        var entry = new BootEntry();
        foreach (string line in text.Split('\n'))
        {
            // Comments, blank and indented lines, and keys without a blank after them say nothing.
            int separator = line.AsSpan().IndexOfAny(' ', '\t');
            if (separator <= 0 || !char.IsAsciiLetter(line[0]))
                continue;
            string key = line[..separator];
            string value = line[(separator + 1)..];
            if (key == "initrd" && entry.values.ContainsKey(key))
            {
                entry.OverlayInitrds.Add(value);
                continue;
            }
            if (!entry.values.ContainsKey(key))
                entry.keys.Add(key);
            entry.values[key] = value;
        }
        return entry;
    }

    /// <summary>The file's bytes: the known keys in ostree's order, the overlays, then the other keys in the order they were set in.</summary>
    /// <exception cref="BootEntryException">There are overlays, but no <see cref="Initrd"/> that they lie over.</exception>
    public byte[] Serialize()
    {
        if (OverlayInitrds.Count > 0 && Initrd is null)
            throw new BootEntryException("a boot entry has overlay initrds but no initrd");
        var text = new StringBuilder();
        foreach (string key in KnownOrder)
        {
            if (values.TryGetValue(key, out string? value))
                Append(text, key, value);
        }
        foreach (string overlay in OverlayInitrds)
        {
            CheckValue("initrd", overlay);
            Append(text, "initrd", overlay);
        }
        foreach (string key in keys)
        {
            if (!KnownOrder.Contains(key))
                Append(text, key, values[key]);
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Append(StringBuilder text, string key, string value) => text.Append(key).Append(' ').Append(value).Append('\n');

    private static void CheckValue(string key, string value)
    {
        if (value.AsSpan().IndexOfAny('\n', '\0') >= 0)
            throw new BootEntryException($"the value of {key} in a boot entry contains a line break");
    }
}
