namespace OciOstree.Sysroot;

/// <summary>Passed before every change to the disk, so that a test can cut the power there.</summary>
internal static class FaultPoint
{
    private static readonly AsyncLocal<Action<string>?> Hook = new();

    /// <summary>Called with what is about to happen; throws to make it fail. For the current flow of execution only.</summary>
    internal static void Set(Action<string>? hook) => Hook.Value = hook;

    internal static void Before(string change) => Hook.Value?.Invoke(change);
}
