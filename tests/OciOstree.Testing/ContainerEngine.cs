namespace OciOstree.Testing;

/// <summary>buildah with a storage of its own in a scratch directory.</summary>
public sealed class ContainerEngine : IDisposable
{
    private readonly Dictionary<string, string?> environment;
    private readonly string root;

    public ContainerEngine(ScratchDirectory scratch, string driver = "overlay")
    {
        root = scratch.MakeDirectory("containers");
        var storage = scratch.Write("containers/storage.conf", $"[storage]\ndriver = \"{driver}\"\ngraphroot = \"{root}/storage\"\nrunroot = \"{root}/run\"\n");
        var policy = scratch.Write("containers/policy.json", """{"default": [{"type": "insecureAcceptAnything"}]}""");
        var settings = scratch.Write("containers/containers.conf", """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
            [engine]
            cgroup_manager = "cgroupfs"
            events_logger = "file"
            """);
        environment = new() { ["CONTAINERS_STORAGE_CONF"] = storage, ["CONTAINERS_CONF"] = settings, ["SIGNATURE_POLICY"] = policy, ["TMPDIR"] = scratch.MakeDirectory("containers/tmp") };
    }

    public ToolResult Run(params string[] arguments) => Tool.Run(new ToolStart("buildah") { Environment = environment }, arguments);

    /// <summary>podman on the same storage.</summary>
    public ToolResult Podman(params string[] arguments) => Tool.Run(new ToolStart("podman") { Environment = environment }, arguments);

    /// <summary>Builds a Containerfile and writes the image to a place.</summary>
    public void Build(string containerfile, string destination)
    {
        Run("bud", "--isolation", "chroot", "--layers=false", "--tag", "localhost/built", "--file", containerfile, Path.GetDirectoryName(containerfile)!).Ok();
        Run("push", "localhost/built", destination).Ok();
    }

    /// <summary>Shows a built image's root file system to a function.</summary>
    public void WithMounted(string image, Action<string> look)
    {
        var container = Run("from", "--pull-never", image).Ok().OutputLine;
        try
        {
            look(Run("mount", container).Ok().OutputLine);
        }
        finally
        {
            Run("umount", container);
            Run("rm", container);
        }
    }

    public void Dispose()
    {
        Run("rm", "--all");
        // The overlay driver keeps its own directory mounted.
        Tool.Run("umount", Path.Combine(root, "storage/overlay"));
    }
}
