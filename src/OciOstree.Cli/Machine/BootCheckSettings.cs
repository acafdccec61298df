using System.Globalization;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary>
/// What the machine says about judging its boots: shell assignments in <c>/etc/greenboot/greenboot.conf</c> (greenboot's) and <c>/etc/oci-ostree/boot-check.conf</c> (ours, which wins).
/// </summary>
internal sealed record BootCheckSettings(int Attempts, TimeSpan Timeout, IReadOnlyList<string> Disabled)
{
    private const int DefaultAttempts = 3;
    private const int DefaultTimeout = 300;

    public static BootCheckSettings Read(string root)
    {
        var settings = new BootCheckSettings(DefaultAttempts, TimeSpan.FromSeconds(DefaultTimeout), []);
        foreach (var path in new[] { "etc/greenboot/greenboot.conf", "etc/oci-ostree/boot-check.conf" }.Select(path => Path.Combine(root, path)).Where(File.Exists))
        {
            foreach (var line in File.ReadLines(path).Select(line => line.Trim()))
            {
                var equals = line.IndexOf('=');
                if (equals <= 0 || line[0] == '#')
                {
                    continue;
                }

                var value = line[(equals + 1)..];
                settings = line[..equals] switch
                {
                    "GREENBOOT_MAX_BOOT_ATTEMPTS" or "MAX_BOOT_ATTEMPTS" => settings with { Attempts = Number(path, line, value) },
                    "CHECK_TIMEOUT" => settings with { Timeout = TimeSpan.FromSeconds(Number(path, line, value)) },
                    "DISABLED_HEALTHCHECKS" => settings with { Disabled = [.. value.Trim('(', ')').Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => name.Trim('"', '\''))] },
                    _ => settings,
                };
            }
        }

        return settings;
    }

    private static int Number(string path, string line, string value) =>
        int.TryParse(value.Trim('"', '\''), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new SysrootException($"{path}: '{line}' is no number above zero");
}
