using System.Globalization;

namespace OciOstree.Cli.Ostree;

/// <summary>Sizes as GLib's <c>g_format_size</c> writes them: decimal units, and a space before them that does not break.</summary>
internal static class SizeText
{
    public static string Of(long bytes)
    {
        if (bytes < 1000)
            return bytes == 1 ? "1 byte" : $"{bytes} bytes";
        double value = bytes;
        string unit = "";
        foreach (string next in (ReadOnlySpan<string>)["kB", "MB", "GB", "TB", "PB", "EB"])
        {
            if (unit.Length > 0 && value < 1000)
                break;
            value /= 1000;
            unit = next;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0}\u00a0{unit}");
    }
}
