using OciOstree.Linux;

namespace OciOstree.Testing;

public static class PrivateMounts
{
    /// <summary>
    /// Runs in a mount namespace of its own, which the programs that it starts share: its mounts are nobody else's, and go when it ends,
    /// however it ends.
    /// </summary>
    public static void Run(Action action) => Namespaces.InThread(() =>
    {
        Namespaces.UnshareMounts();
        action();
    });
}
