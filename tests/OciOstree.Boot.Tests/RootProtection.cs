namespace OciOstree.Boot.Tests;

/// <summary>How a system's root is to be mounted by the newest <c>ostree-prepare-root</c>.</summary>
/// <param name="Configuration"><c>prepare-root.conf</c>, in the tree and in the initramfs.</param>
/// <param name="BindingKey">The public key, in base64, that a signed root must verify with.</param>
internal sealed record RootProtection(string Configuration, string? BindingKey = null);
