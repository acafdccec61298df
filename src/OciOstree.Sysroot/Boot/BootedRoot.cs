using OciOstree.Formats.GVariant;

namespace OciOstree.Sysroot;

/// <summary>What <c>ostree-prepare-root</c> recorded of the running root in <c>/run/ostree-booted</c>; all false where its version is older than composefs.</summary>
/// <param name="IsComposefs">The root is a composefs image.</param>
/// <param name="HasVerity">The kernel gives out no content whose fs-verity digest is not the image's.</param>
/// <param name="SignatureKeys">The file in the initramfs with the keys that the commit was verified by; null if it was not.</param>
/// <param name="IsTransient">What is written to the root is gone after a reboot.</param>
/// <param name="HasTransientEtc">The same for <c>/etc</c>: what is changed there is carried over to no deployment.</param>
public sealed record BootedRoot(bool IsComposefs, bool HasVerity, string? SignatureKeys, bool IsTransient, bool HasTransientEtc)
{
    internal static BootedRoot From(Variant recorded) => new(
        Flag(recorded, "composefs"), Flag(recorded, "composefs.verity"), Text(recorded, "composefs.signed"),
        Flag(recorded, "root.transient"), Text(recorded, "transient-etc") is not null);

    private static bool Flag(Variant recorded, string key) => recorded.Lookup(key) is { Type: "b" } value && value.AsBoolean();

    private static string? Text(Variant recorded, string key) => recorded.Lookup(key) is { Type: "s" } value ? value.AsString() : null;
}
