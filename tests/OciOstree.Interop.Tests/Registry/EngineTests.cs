using System.Diagnostics;
using System.Text.Json;
using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary>Images of local engines: podman's image store, and its Docker-compatible socket.</summary>
public sealed class EngineTests : IDisposable
{
    private readonly ScratchDirectory _scratch = new("engine");

    // podman refuses long paths here.
    private readonly DirectoryInfo _short = Directory.CreateTempSubdirectory("eng-");

    public void Dispose()
    {
        _scratch.Dispose();
        _short.Delete(recursive: true);
    }

    [Fact]
    public void The_local_store_is_written_and_read()
    {
        string source = SampleImage.Make(_scratch);
        string stored = $"containers-storage:[vfs@{_short.FullName}/root+{_short.FullName}/run]localhost/engine:v1";
        Copy(source, stored);
        Assert.Equal(DiffIds(source), DiffIds(stored));
        Copy(stored, $"oci:{_scratch["back"]}:v1");
        Assert.Equal(DiffIds(source), DiffIds($"oci:{_scratch["back"]}:v1"));
        Assert.Contains("skopeo", OurProgram.Run("inspect", stored.Replace(":v1", ":v2")).Failed().Error);
    }

    [Fact]
    public void Without_a_program_that_knows_the_store_the_error_says_so()
    {
        var start = new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["PATH"] = _scratch.Path } };
        Assert.Contains("needs skopeo or podman, which is not installed", Tool.Run(start, "inspect", "containers-storage:localhost/x").Failed().Error);
    }

    [Fact]
    public void A_daemon_is_written_and_read()
    {
        string socket = Path.Combine(_short.FullName, "s");
        using var daemon = Process.Start(new ProcessStartInfo(
            "podman",
            ["--root", $"{_short.FullName}/root", "--runroot", $"{_short.FullName}/run", "--storage-driver", "vfs", "system", "service", "--time=0", "unix://" + socket])
        {
            RedirectStandardError = true,
        })!;
        try
        {
            for (int tries = 0; tries < 400 && !File.Exists(socket); tries++)
                Thread.Sleep(50);
            string source = SampleImage.Make(_scratch);
            const string Stored = "docker-daemon:localhost/engine:v1";
            Ours(socket, "container", "image", "copy", "-q", source, Stored).Ok();
            Ours(socket, "container", "image", "copy", "-q", Stored, $"oci:{_scratch["back"]}:v1").Ok();
            Assert.Equal(DiffIds(source), DiffIds($"oci:{_scratch["back"]}:v1"));
            Assert.Contains("no image 'localhost/nothing:v1'", Ours(socket, "inspect", "docker-daemon:localhost/nothing:v1").Failed().Error);
        }
        finally
        {
            daemon.Kill(entireProcessTree: true);
            daemon.WaitForExit();
        }

        Assert.Contains("refused", Ours(socket, "inspect", "docker-daemon:x:1").Failed().Error);
    }

    private static ToolResult Ours(string socket, params string[] arguments) =>
        Tool.Run(new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["DOCKER_HOST"] = "unix://" + socket } }, arguments);

    private static void Copy(string source, string destination) => OurProgram.Run("container", "image", "copy", "-q", source, destination).Ok();

    private static string DiffIds(string image)
    {
        using JsonDocument config = JsonDocument.Parse(Tool.Run("skopeo", "inspect", "--config", "--raw", image).Ok().OutputBytes);
        return config.RootElement.GetProperty("rootfs").GetProperty("diff_ids").GetRawText();
    }
}
