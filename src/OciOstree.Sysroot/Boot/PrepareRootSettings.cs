using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>What a tree's <c>prepare-root.conf</c> tells <c>ostree-prepare-root</c> of the root to be mounted; the initramfs has a copy, which counts at boot.</summary>
/// <param name="Composefs"><c>composefs.enabled</c>: <see cref="Tristate.Yes"/> lets a boot without an image fail.</param>
/// <param name="RequiresVerity">The kernel must vouch for each file's content (<c>enabled=verity</c> and <c>signed</c>).</param>
/// <param name="IsSigned">The image must be the one that a signed commit names.</param>
/// <param name="HasTransientRoot">The root can be written to, and forgets (<c>root.transient</c>, and <c>transient-ro</c>, which shows that to who asks for it only).</param>
/// <param name="HasTransientEtc"><c>/etc</c> forgets: it is the tree's defaults with a layer in memory.</param>
public sealed record PrepareRootSettings(Tristate Composefs, bool RequiresVerity, bool IsSigned, bool HasTransientRoot, bool HasTransientEtc)
{
    private const string FileName = "ostree/prepare-root.conf", DefaultKeyPath = "/etc/ostree/initramfs-root-binding.key";

    /// <summary>Where the keys are that a signed image's commit is verified by (<c>composefs.keypath</c>).</summary>
    public string KeyPath { get; private init; } = DefaultKeyPath;

    /// <summary>A transient root that is shown read-only, until who may remounts it (<c>root.transient-ro</c>).</summary>
    public bool IsTransientRootReadOnly { get; private init; }

    /// <summary>As the kernel's command line changes them: <c>ostree.prepare-root.composefs=</c>.</summary>
    /// <exception cref="SysrootException">The argument's value is none that it may have.</exception>
    public PrepareRootSettings With(KernelArguments arguments)
    {
        const string key = "ostree.prepare-root.composefs";
        return arguments.LastValue(key) switch
        {
            null => this,
            "signed" => this with { Composefs = Tristate.Yes, RequiresVerity = true, IsSigned = true },
            "1" or "yes" or "true" or "on" => this with { Composefs = Tristate.Yes, IsSigned = false },
            "0" or "no" or "false" or "off" => this with { Composefs = Tristate.No, IsSigned = false },
            "maybe" => this with { Composefs = Tristate.Maybe, IsSigned = false },
            var other => throw new SysrootException($"handling karg {key}: Invalid tri-state value: {other}"),
        };
    }

    /// <summary>Reads them from a tree; the file in <c>/etc</c> hides the one in <c>/usr/lib</c>.</summary>
    /// <exception cref="SysrootException">A file cannot be parsed, or a value is none that its key may have.</exception>
    public static PrepareRootSettings Read(LinuxDirectory root)
    {
        KeyFile? config = null;
        foreach (string directory in (ReadOnlySpan<string>)["etc", "usr/lib"])
        {
            using SafeFileHandle? file = config is null ? root.TryOpenInRoot($"{directory}/{FileName}") : null;
            if (file is null)
            {
                continue;
            }
            try
            {
                config = KeyFile.Parse(Files.ReadAll(file, 1 << 20));
            }
            catch (KeyfileException e)
            {
                throw new SysrootException("Parsing prepare-root config", e);
            }
        }
        return Parse(config ?? new KeyFile());
    }

    /// <summary>Takes them from the parsed file.</summary>
    /// <exception cref="SysrootException">A value is none that its key may have.</exception>
    public static PrepareRootSettings Parse(KeyFile config)
    {
        try
        {
            bool isSigned = false, requiresVerity = false;
            Tristate composefs;
            switch (config.GetValue("composefs", "enabled"))
            {
                case "signed":
                    (composefs, requiresVerity, isSigned) = (Tristate.Yes, true, true);
                    break;
                case "verity":
                    (composefs, requiresVerity) = (Tristate.Yes, true);
                    break;
                default:
                    composefs = config.GetTristate("composefs", "enabled") ?? Tristate.No;
                    break;
            }
            bool transient = config.GetBoolean("root", "transient") ?? false, readOnly = config.GetBoolean("root", "transient-ro") ?? false;
            if (transient && readOnly)
            {
                throw new SysrootException("Cannot set both root.transient and root.transient-ro");
            }
            return new PrepareRootSettings(composefs, requiresVerity, isSigned, transient || readOnly, config.GetBoolean("etc", "transient") ?? false)
            {
                IsTransientRootReadOnly = readOnly,
                KeyPath = config.GetString("composefs", "keypath") ?? DefaultKeyPath,
            };
        }
        catch (Exception e) when (e is KeyfileException or SysrootException)
        {
            throw new SysrootException("Reading rootfs config", new SysrootException("Parsing rootfs config", e));
        }
    }
}
