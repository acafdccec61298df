namespace OciOstree.Boot.Tests;

/// <summary>Files of Debian's packages that this machine itself must not have installed: boot loaders would take it over.</summary>
internal static class DebianPackage
{
    /// <summary>Where the package is unpacked: in the checkout's <c>.cache</c>, by the first who asks.</summary>
    internal static string Get(string name)
    {
        string cache = Path.Combine(OurProgram.CheckoutRoot, ".cache", "boot");
        string ready = Path.Combine(cache, name);
        if (!Directory.Exists(ready))
        {
            using var scratch = new ScratchDirectory("package");
            string root = Download(name, scratch);
            Directory.CreateDirectory(cache);
            Keep(partial => Tool.Run("cp", "-a", root, partial).Ok(), ready);
        }
        return ready;
    }

    /// <summary>Downloads and unpacks it in a test's own directory.</summary>
    internal static string Download(string name, ScratchDirectory scratch)
    {
        string directory = scratch.MakeDirectory("download");
        Tool.Run(new ToolStart("apt-get") { Directory = directory }, "download", "-qq", name).Ok();
        string root = scratch.MakeDirectory("root");
        Tool.Run("dpkg-deb", "-x", Directory.GetFiles(directory, "*.deb").Single(), root).Ok();
        return root;
    }

    /// <summary>Half a cache must not look like a whole one: what <paramref name="make"/> makes gets its name last.</summary>
    internal static void Keep(Action<string> make, string ready)
    {
        string partial = $"{ready}.{Guid.NewGuid():N}";
        make(partial);
        try
        {
            Directory.Move(partial, ready);
        }
        catch (IOException) when (Directory.Exists(ready))
        {
            Directory.Delete(partial, recursive: true);   // another run was first
        }
    }
}
