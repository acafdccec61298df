namespace OciOstree.Testing;

/// <summary>
/// The newest real ostree, of Debian sid, with the libraries that it needs: the peer for what Debian 12's does not have yet, such as composefs. Unpacked once into
/// the checkout's <c>.cache</c> and run by its own loader where it is; nothing is installed.
/// </summary>
public static class SidOstree
{
    private static readonly Lazy<string> s_root = new(Unpack);

    /// <summary>The directory that the packages were unpacked into.</summary>
    public static string Root => s_root.Value;

    /// <summary>The loader, which takes <c>--library-path</c> <see cref="Libraries"/> and a program.</summary>
    public static string Loader => Libraries + "/ld-linux-x86-64.so.2";

    public static string Libraries => Root + "/usr/lib/x86_64-linux-gnu";

    /// <summary>Runs it as <c>ostree</c>.</summary>
    public static ToolResult Run(params string[] arguments) => Tool.Run(Start(), Command("usr/bin/ostree", arguments));

    /// <summary>Runs another program of its packages, such as <c>usr/bin/composefs-info</c>.</summary>
    public static ToolResult RunProgram(string path, params string[] arguments) => Tool.Run(Start(), Command(path, arguments));

    private static ToolStart Start() => new(Loader);

    private static string[] Command(string path, string[] arguments) => ["--library-path", Libraries, "--argv0", System.IO.Path.GetFileName(path), $"{Root}/{path}", .. arguments];

    private static string Unpack()
    {
        string root = System.IO.Path.Combine(OurProgram.CheckoutRoot, ".cache", "sid-ostree");
        if (!Directory.Exists(root))
        {
            Tool.Run(System.IO.Path.Combine(OurProgram.CheckoutRoot, "build", "unpack-sid-ostree")).Ok();
        }
        return root;
    }
}
