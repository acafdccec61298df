using System.Diagnostics;

namespace OciOstree.Interop.Tests;

/// <summary>Whoever collects garbage while an image is on its way takes nothing of it: not what is imported, not what is staged, not what is half there.</summary>
public sealed class PruneWhilePullingTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("prune-while-pulling");
    private readonly FakeRegistry registry = new();
    private readonly byte[][] layers;
    private readonly ManualResetEventSlim goOn = new();
    private readonly string repo;

    public PruneWhilePullingTests()
    {
        layers = [.. Enumerable.Range(0, 3).Select(Layer)];
        registry.AddImage("os", "1", layers);
        registry.Intercept = Serve;
        Tool.Run("ostree", "admin", "init-fs", scratch.MakeDirectory("sys")).Ok();
        repo = scratch["sys/ostree/repo"];
    }

    public void Dispose()
    {
        goOn.Set();
        registry.Dispose();
        scratch.Dispose();
    }

    private byte[] Layer(int index)
    {
        Tool.Shell($"for i in $(seq 20); do head -c 40000 /dev/urandom >{index}-$i; done; tar -C ../../.. --format=pax -cf ../../../../{index}.tar usr", scratch.MakeDirectory($"{index}/usr/share/data")).Ok();
        return File.ReadAllBytes(scratch[index + ".tar"]);
    }

    // The first layer comes at once, of the second half, of the third nothing until the garbage is collected.
    private bool Serve(HttpExchange exchange)
    {
        int layer = Array.FindIndex(layers, bytes => exchange.Path.EndsWith("/blobs/" + FakeRegistry.DigestOf(bytes), StringComparison.Ordinal));
        if (layer < 1)
            return false;
        byte[] bytes = layers[layer];
        int half = layer == 1 ? bytes.Length / 2 : 0;
        exchange.Head(200, ("Content-Length", $"{bytes.Length}"));
        exchange.Raw(bytes.AsSpan(0, half));
        goOn.Wait();
        exchange.Raw(bytes.AsSpan(half));
        exchange.Close();
        return true;
    }

    private bool IsHalfThere() =>
        Path.Combine(repo, "extensions/oci-ostree/layers") is var notes && Directory.Exists(notes)
        && Directory.GetFiles(notes, FakeRegistry.DigestOf(layers[0]).Replace(':', '-') + "*").Length > 0
        && Directory.GetFiles(Path.Combine(repo, "tmp"), "partial-blob-*").Any(path => new FileInfo(path).Length == layers[1].Length / 2);

    private static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(OurProgram.Path(), arguments) { RedirectStandardOutput = true })!;

    private static string Output(Process process)
    {
        using (process)
        {
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return output;
        }
    }

    [Fact]
    public void What_is_on_its_way_stays()
    {
        Process pull = Start("container", "image", "pull", repo, $"ostree-unverified-registry:{registry.Host}/os:1", "--tls-verify=false", "--quiet");
        for (long end = Environment.TickCount64 + 60_000; !IsHalfThere(); Thread.Sleep(5))
        {
            Assert.False(pull.HasExited);
            Assert.True(Environment.TickCount64 < end, "the pull got stuck");
        }

        // Refs are pruned at once, objects when the pull lets go of the repository's lock.
        Assert.Equal("Removed layers: 0", OurProgram.Run("container", "image", "prune-layers", "--repo=" + repo).Ok().OutputLine);
        Assert.Equal("No unreferenced images.", OurProgram.Run("container", "image", "prune-images", "--sysroot=" + scratch["sys"], "--and-layers").Ok().OutputLine);
        Process prune = Start("prune", "--repo=" + repo, "--refs-only");
        goOn.Set();
        Assert.Contains("Wrote: ", Output(pull));
        Output(prune);
        Assert.Equal($"docker://{registry.Host}/os:1", OurProgram.Run("container", "image", "list", "--repo=" + repo).Ok().OutputLine);
        Tool.Run("ostree", "fsck", "--quiet", "--repo=" + repo).Ok();
        string image = Tool.Run("ostree", "refs", "--repo=" + repo, "--list", "ostree/container/image").Ok().OutputLine;
        Assert.Equal("60", Tool.Shell($"ostree ls -R --repo={repo} {image} /usr/share/data | grep -c '^-'").Ok().OutputLine);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Path.Combine(repo, "tmp")), path => Path.GetFileName(path) is not "cache");
    }
}
