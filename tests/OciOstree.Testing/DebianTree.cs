namespace OciOstree.Testing;

/// <summary>A whole Debian with systemd, dracut's initramfs and the real ostree's units: <c>examples/debian-tree</c>, kept in <c>.cache</c>.</summary>
public static class DebianTree
{
    /// <summary>The directory, made when it is first asked for.</summary>
    public static string Path()
    {
        string tree = System.IO.Path.Combine(OurProgram.CheckoutRoot, ".cache", "debian-tree");
        Tool.Run(new ToolStart(System.IO.Path.Combine(OurProgram.CheckoutRoot, "examples", "debian-tree")) { Timeout = TimeSpan.FromMinutes(15) }, tree).Ok();
        return tree;
    }
}
