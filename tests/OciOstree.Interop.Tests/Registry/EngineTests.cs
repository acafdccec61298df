using System.Diagnostics;
using System.Text.Json;
using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary>Images of local engines: podman's image store, and its Docker-compatible socket.</summary>
public sealed class EngineTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("engine");

    // podman refuses long paths here.
    private readonly DirectoryInfo brief = Directory.CreateTempSubdirectory("eng-");

    public void Dispose()
    {
        scratch.Dispose();
        brief.Delete(recursive: true);
    }

    [Fact]
    public void The_local_store_is_written_and_read()
    {
        string source = SampleImage.Make(scratch);
        string stored = $"containers-storage:[vfs@{brief.FullName}/root+{brief.FullName}/run]localhost/engine:v1";
        Copy(source, stored);
        Assert.Equal(DiffIds(source), DiffIds(stored));
        Copy(stored, $"oci:{scratch["back"]}:v1");
        Assert.Equal(DiffIds(source), DiffIds($"oci:{scratch["back"]}:v1"));
        Assert.Contains("skopeo", OurProgram.Run("inspect", stored.Replace(":v1", ":v2")).Failed().Error);
    }

    [Fact]
    public void Without_a_program_that_knows_the_store_the_error_says_so()
    {
        var start = new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["PATH"] = scratch.Path } };
        Assert.Contains("needs skopeo or podman, which is not installed", Tool.Run(start, "inspect", "containers-storage:localhost/x").Failed().Error);
    }

    [Fact]
    public void A_daemon_is_written_and_read()
    {
        string socket = Path.Combine(brief.FullName, "s");
        using var daemon = Process.Start(new ProcessStartInfo(
            "podman",
            ["--root", $"{brief.FullName}/root", "--runroot", $"{brief.FullName}/run", "--storage-driver", "vfs", "system", "service", "--time=0", "unix://" + socket])
        {
            RedirectStandardError = true,
        })!;
        try
        {
            for (int tries = 0; tries < 400 && !File.Exists(socket); tries++)
                Thread.Sleep(50);
            string source = SampleImage.Make(scratch);
            const string Stored = "docker-daemon:localhost/engine:v1";
            Ours(socket, "container", "image", "copy", "-q", source, Stored).Ok();
            Ours(socket, "container", "image", "copy", "-q", Stored, $"oci:{scratch["back"]}:v1").Ok();
            Assert.Equal(DiffIds(source), DiffIds($"oci:{scratch["back"]}:v1"));
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
