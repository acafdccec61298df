namespace OciOstree.Linux;

public static class BootId
{
    private static readonly Lazy<string> s_current = new(Read);

    /// <summary>The random id that the kernel drew when it started, as <c>xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx</c>.</summary>
    public static string Current => s_current.Value;

    private static string Read()
    {
        using var file = Files.Open("/proc/sys/kernel/random/boot_id");
        return FileName.FromBytes(Files.ReadAll(file, 4096, "/proc/sys/kernel/random/boot_id")).TrimEnd('\n');
    }
}
