namespace OciOstree.Sysroot;

/// <summary>
/// syslinux, extlinux, isolinux: <c>boot/syslinux/syslinux.cfg</c>, a link to <c>../loader/syslinux.cfg</c>. Labels that boot something else than ostree are kept.
/// </summary>
internal sealed class SyslinuxBootloader(Sysroot sysroot) : Bootloader(sysroot)
{
    private const string ConfigPath = "syslinux/syslinux.cfg";

    public override string Name => "syslinux";

    public override bool IsActive() => Sysroot.Root.TryStatus($"boot/{ConfigPath}") is not null;

    public override void WriteConfig(int version, IReadOnlyList<Deployment> deployments)
    {
        var kept = new List<string>();
        bool chooseDefault = !KeepForeignLines(ReadConfig(ConfigPath).Split('\n'), kept, out bool ourDefault) || ourDefault;

        // Entries name paths as seen from /boot, syslinux wants them as seen from the root, unless the prefix is in them already.
        string prefix = Sysroot.Settings.BootPrefix ? "" : "/boot";
        bool first = true;
        foreach (var entry in Entries(version))
        {
            string title = entry.Title ?? "(Untitled)";
            if (first && chooseDefault)
            {
                kept.Add($"DEFAULT {title}");
            }
            first = false;
            kept.Add($"LABEL {title}");
            kept.Add($"\tKERNEL {prefix}{KernelOf(entry)}");
            if (entry.Initrd is { } initrd)
            {
                kept.Add($"\tINITRD {prefix}{initrd}");
            }
            if (entry.DeviceTree is { } tree)
            {
                kept.Add($"\tDEVICETREE {prefix}{tree}");
            }
            if (entry.Options is { } options)
            {
                kept.Add($"\tAPPEND {options}");
            }
        }
        Changes.ReplaceFile(Boot, $"loader.{version}/syslinux.cfg", JoinLines(kept), sync: true);
    }

    /// <summary>Takes over all lines but the labels that boot an ostree kernel and the default. True if there was a default; <paramref name="ourDefault"/> if it was an ostree label.</summary>
    private static bool KeepForeignLines(string[] lines, List<string> kept, out bool ourDefault)
    {
        var label = new List<string>();
        string? kernel = null;
        bool inLabel = false;
        bool sawDefault = false;
        ourDefault = false;
        for (int i = 0; i <= lines.Length; i++)
        {
            string? line = i < lines.Length ? lines[i] : null;
            if (inLabel && (line is null || !line.StartsWith('\t')))
            {
                inLabel = false;
                if (kernel is null)
                {
                    throw new SysrootException("No KERNEL argument found after LABEL");
                }
                if (!kernel.StartsWith("/ostree/", StringComparison.Ordinal) && !kernel.StartsWith("/boot/ostree/", StringComparison.Ordinal))
                {
                    kept.AddRange(label);
                }
                label.Clear();
            }
            if (line is null)
            {
                break;
            }
            if (!inLabel && line.StartsWith("DEFAULT ", StringComparison.Ordinal))
            {
                sawDefault = true;
                bool ours = line.StartsWith("DEFAULT ostree:", StringComparison.Ordinal) || line.Contains("(ostree", StringComparison.Ordinal);
                ourDefault |= ours;
                if (!ours)
                {
                    // Somebody chose another system to boot by default: that is theirs to choose.
                    kept.Add(line);
                }
                continue;
            }
            if (!inLabel && line.StartsWith("LABEL ", StringComparison.Ordinal))
            {
                inLabel = true;
                kernel = null;
            }
            else if (inLabel && line.StartsWith("\tKERNEL ", StringComparison.Ordinal))
            {
                kernel = line["\tKERNEL ".Length..];
            }
            (inLabel ? label : kept).Add(line);
        }
        return sawDefault;
    }
}
