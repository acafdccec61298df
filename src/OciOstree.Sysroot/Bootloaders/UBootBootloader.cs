using System.Text;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>Das U-Boot: <c>boot/loader/uEnv.txt</c> with numbered variables that a boot script reads.</summary>
internal sealed class UBootBootloader(Sysroot sysroot) : Bootloader(sysroot)
{
    public override string Name => "U-Boot";

    public override bool IsActive() => Sysroot.Root.TryStatus("boot/loader/uEnv.txt") is not null;

    public override void WriteConfig(int version, IReadOnlyList<Deployment> deployments)
    {
        var lines = new List<string>();
        int index = 0;
        foreach (var entry in Entries(version))
        {
            string suffix = index == 0 ? "" : (index + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
            lines.Add($"kernel_image{suffix}=/boot{KernelOf(entry)}");
            if (entry.Initrd is { } initrd)
            {
                lines.Add($"ramdisk_image{suffix}=/boot{initrd}");
            }
            if (entry.DeviceTree is { } tree)
            {
                lines.Add($"fdt_file{suffix}=/boot{tree}");
            }
            if (entry.FdtDirectory is { } trees)
            {
                lines.Add($"fdtdir{suffix}=/boot{trees}");
            }
            if (entry.Options is { } options)
            {
                lines.Add($"bootargs{suffix}={options}");
                if (index == 0 && TreeEnvironment(deployments[0]) is { } environment)
                {
                    lines.Add(environment);
                }
            }
            index++;
        }
        Changes.ReplaceFile(Boot, $"loader.{version}/uEnv.txt", JoinLines(lines), sync: true);
    }

    /// <summary>What the default deployment's tree wants set besides.</summary>
    private string? TreeEnvironment(Deployment deployment)
    {
        using LinuxDirectory root = Sysroot.OpenDeployment(deployment);
        using var file = root.TryOpenInRoot("usr/lib/ostree-boot/uEnv.txt");
        return file is null ? null : Encoding.UTF8.GetString(Files.ReadAll(file, 1 << 20));
    }
}
