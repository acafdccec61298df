namespace OciOstree.Testing;

/// <summary>The published executable of this checkout, under each of its names.</summary>
public static class OurProgram
{
    /// <summary>The directory that holds <c>OciOstree.sln</c>.</summary>
    public static string CheckoutRoot { get; } = FindCheckoutRoot();

    /// <summary>Runs it as <c>oci-ostree</c>.</summary>
    public static ToolResult Run(params string[] arguments) => Tool.Run(Named("oci-ostree"), arguments);

    /// <summary>Runs it as <c>ostree</c>, with ostree's command line.</summary>
    public static ToolResult Ostree(params string[] arguments) => Tool.Run(Named("ostree"), arguments);

    /// <summary>The path of the executable called <paramref name="name"/> in <c>dist</c>.</summary>
    public static string Path(string name = "oci-ostree")
    {
        string path = System.IO.Path.Combine(CheckoutRoot, "dist", name);
        return File.Exists(path) ? path : throw new ToolException($"{path} is missing: run `make build` (or build/publish) first");
    }

    private static ToolStart Named(string name) => new(Path(name));

    private static string FindCheckoutRoot()
    {
        for (string? directory = AppContext.BaseDirectory; directory != null; directory = System.IO.Path.GetDirectoryName(directory))
        {
            if (File.Exists(System.IO.Path.Combine(directory, "OciOstree.sln")))
                return directory;
        }

        throw new ToolException($"no OciOstree.sln above {AppContext.BaseDirectory}");
    }
}
