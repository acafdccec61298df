using OciOstree.Formats.Keyfile;

namespace OciOstree.Sysroot;

/// <summary>
/// Where a deployment came from and what its next upgrade follows: the keyfile beside the deployment (<c>CHECKSUM.SERIAL.origin</c>).
/// Keys that are not known here belong to other programs and are kept.
/// </summary>
public sealed class Origin
{
    private const string Group = "origin";
    private const string TransientGroup = "libostree-transient";

    public Origin() : this(new KeyFile())
    {
    }

    public Origin(KeyFile file)
    {
        File = file;
    }

    /// <summary>The whole file, other programs' groups included.</summary>
    public KeyFile File { get; }

    /// <summary>The image that upgrades follow, as an ostree image reference such as <c>ostree-unverified-registry:quay.io/os/base:latest</c>.</summary>
    public string? ContainerImageReference
    {
        get => File.GetString(Group, "container-image-reference");
        set => Set("container-image-reference", value);
    }

    /// <summary>The branch that upgrades follow, <c>REMOTE:REF</c> or <c>REF</c>.</summary>
    public string? Refspec
    {
        get => File.GetString(Group, "refspec");
        set => Set("refspec", value);
    }

    /// <summary>A commit to stay at, whatever the branch says.</summary>
    public string? OverrideCommit
    {
        get => File.GetString(Group, "override-commit");
        set => Set("override-commit", value);
    }

    /// <summary>Set to <c>hotfix</c> when the deployment's <c>/usr</c> was opened for changes that outlive a reboot.</summary>
    public string? Unlocked
    {
        get => File.GetString(Group, "unlocked");
        set => Set("unlocked", value);
    }

    /// <summary>When set, upgrades cannot go on: this text says what the administrator has to configure first.</summary>
    public string? UnconfiguredState => File.GetString(Group, "unconfigured-state");

    /// <summary>A pinned deployment is kept by every rule that would drop it.</summary>
    public bool Pinned
    {
        get => File.GetBoolean(TransientGroup, "pinned") ?? false;
        set
        {
            if (value)
            {
                File.SetBoolean(TransientGroup, "pinned", true);
            }
            else
            {
                File.RemoveKey(TransientGroup, "pinned");
            }
        }
    }

    public static Origin FromRefspec(string refspec) => new() { Refspec = refspec };

    public static Origin FromContainerImage(string imageReference) => new() { ContainerImageReference = imageReference };

    /// <exception cref="KeyfileException">The bytes are no keyfile.</exception>
    public static Origin Parse(ReadOnlySpan<byte> content) => new(KeyFile.Parse(content));

    public byte[] Serialize() => File.Serialize();

    public Origin Clone() => Parse(Serialize());

    /// <summary>Forgets what describes one deployment only and must not pass on to its successor: pins, overrides, hotfix marks.</summary>
    public void RemoveTransientState()
    {
        File.RemoveGroup(TransientGroup);
        File.RemoveKey(Group, "override-commit");
        File.RemoveKey(Group, "unlocked");
    }

    internal Origin WithoutTransientState()
    {
        Origin copy = Clone();
        copy.RemoveTransientState();
        return copy;
    }

    private void Set(string key, string? value)
    {
        if (value is null)
        {
            File.RemoveKey(Group, key);
        }
        else
        {
            File.SetString(Group, key, value);
        }
    }
}
