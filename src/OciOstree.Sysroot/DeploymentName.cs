using System.Globalization;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>The name of a deployment's directory, <c>CHECKSUM.SERIAL</c>: the serial tells deployments of one commit apart.</summary>
internal readonly record struct DeploymentName(Checksum Commit, int Serial)
{
    public static DeploymentName Parse(string name)
    {
        int dot = name.IndexOf('.');
        if (dot > 0 && Checksum.TryParse(name.AsSpan(0, dot), out Checksum commit) && Numbers.TryParse(name.AsSpan(dot + 1), out int serial))
        {
            return new DeploymentName(commit, serial);
        }
        throw new SysrootException($"Invalid deploy name '{name}', expected CHECKSUM.TREESERIAL");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Commit}.{Serial}");
}

/// <summary>What <c>ostree=</c> on a kernel command line says: <c>/ostree/boot.VERSION/STATEROOT/BOOTCSUM/BOOTSERIAL</c>, a symbolic link to a deployment.</summary>
internal readonly record struct BootLink(int BootVersion, string Stateroot, string BootChecksum, int BootSerial)
{
    public static BootLink Parse(string link)
    {
        string[] parts = link.Split('/');
        if (parts is ["", "ostree", "boot.0" or "boot.1", { Length: > 0 } stateroot, { Length: > 0 } bootChecksum, var serialText]
            && Numbers.TryParse(serialText, out int serial))
        {
            return new BootLink(parts[2][^1] - '0', stateroot, bootChecksum, serial);
        }
        throw new SysrootException($"Invalid ostree= argument '{link}', expected ostree=/ostree/boot.BOOTVERSION/OSNAME/BOOTCSUM/TREESERIAL");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"/ostree/boot.{BootVersion}/{Stateroot}/{BootChecksum}/{BootSerial}");
}

internal static class Numbers
{
    /// <summary>Digits only: no sign, no space.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
