using OciOstree.Formats.Keyfile;

namespace OciOstree.Sysroot;

/// <summary>The <c>[sysroot]</c> group of the repository's configuration.</summary>
internal sealed record SysrootSettings(string Bootloader, bool BootPrefix, int BootCountingTries, IReadOnlyList<KeyValuePair<string, string>> AppendedExceptDefault)
{
    private const string Group = "sysroot";
    private static readonly string[] KnownBootloaders = ["auto", "none", "grub2", "syslinux", "uboot", "zipl", "aboot"];

    public static SysrootSettings From(KeyFile config)
    {
        string bootloader = config.GetString(Group, "bootloader") ?? "auto";
        if (!KnownBootloaders.Contains(bootloader))
        {
            throw new SysrootException($"Invalid bootloader configuration: '{bootloader}'");
        }

        string triesText = config.GetString(Group, "boot-counting-tries") ?? "0";
        if (!Numbers.TryParse(triesText, out int tries) || tries > 5)
        {
            throw new SysrootException($"Invalid boot-counting-tries '{triesText}': expected a number from 0 to 5");
        }

        var appended = new List<KeyValuePair<string, string>>();
        foreach (string pair in config.GetStringList(Group, "bls-append-except-default") ?? [])
        {
            int equals = pair.IndexOf('=');
            if (equals < 0)
            {
                throw new SysrootException("bls-append-except-default key must be of the form \"key1=value1;key2=value2...\"");
            }
            appended.Add(new(pair[..equals], pair[(equals + 1)..]));
        }
        return new SysrootSettings(bootloader, config.GetBoolean(Group, "bootprefix") ?? false, tries, appended);
    }
}
