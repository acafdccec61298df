using System.Collections.Concurrent;
using System.Diagnostics;

namespace OciOstree.Interop.Tests;

/// <summary>A pull that is killed, wherever it was, asks the registry for nothing again that it had.</summary>
public sealed class ResumeTests : IDisposable
{
    private const string Repository = "os";
    private readonly ScratchDirectory scratch = new("resume");
    private readonly FakeRegistry registry = new();
    private readonly ConcurrentQueue<(int Layer, long From)> asked = new();
    private readonly byte[][] layers;
    private readonly string repo;

    // What the registry does when asked for a layer: it serves up to a byte, and then neither goes on nor hangs up; null serves it whole.
    private readonly long?[] stops = new long?[3];
    private readonly ManualResetEventSlim killed = new();

    public ResumeTests()
    {
        layers = [.. Enumerable.Range(0, 3).Select(Layer)];
        registry.AddImage(Repository, "1", layers);
        registry.Intercept = Serve;
        repo = scratch["repo"];
        Tool.Run("ostree", "init", $"--repo={repo}", "--mode=bare").Ok();
    }

    public void Dispose()
    {
        killed.Set();
        registry.Dispose();
        scratch.Dispose();
    }

    private byte[] Layer(int index)
    {
        string name = $"layer-{index}";
        Tool.Shell($"for i in $(seq 20); do head -c 40000 /dev/urandom >{index}-$i; done; tar -C ../../.. --format=pax -cf ../../../../{name}.tar usr", scratch.MakeDirectory($"{name}/usr/share/data")).Ok();
        return File.ReadAllBytes(scratch[name + ".tar"]);
    }

    private bool Serve(HttpExchange exchange)
    {
        int layer = Array.FindIndex(layers, bytes => exchange.Path.EndsWith("/blobs/" + FakeRegistry.DigestOf(bytes), StringComparison.Ordinal));
        if (layer < 0)
            return false;
        byte[] bytes = layers[layer];
        int from = exchange.Headers.TryGetValue("Range", out string? range) ? int.Parse(range["bytes=".Length..^1]) : 0;
        asked.Enqueue((layer, from));
        if (stops[layer] is not { } stop)
            return false;
        exchange.Head(from > 0 ? 206 : 200, ("Content-Length", $"{bytes.Length - from}"), ("Content-Range", $"bytes {from}-{bytes.Length - 1}/{bytes.Length}"));
        exchange.Raw(bytes.AsSpan(from, (int)(stop - from)));
        killed.Wait();
        exchange.Close();
        return true;
    }

    private string[] Partial() => Directory.GetFiles(Path.Combine(repo, "tmp"), "partial-blob-*");

    private string? PartialOf(int layer) => Partial().SingleOrDefault(path => path.EndsWith(FakeRegistry.DigestOf(layers[layer])["sha256:".Length..], StringComparison.Ordinal));

    private bool IsNoted(int layer) => Directory.Exists(Path.Combine(repo, "extensions/oci-ostree/layers"))
        && Directory.EnumerateFiles(Path.Combine(repo, "extensions/oci-ostree/layers"), FakeRegistry.DigestOf(layers[layer]).Replace(':', '-') + "*").Any();

    private ProcessStartInfo Pull() => new(OurProgram.Path(), ["container", "image", "pull", repo, $"ostree-unverified-registry:{registry.Host}/{Repository}:1", "--tls-verify=false", "--quiet"])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    /// <summary>Pulls until something is so, and kills the program then.</summary>
    /// <returns>Which layers were asked for, from which byte on, lowest first.</returns>
    private (int Layer, long From)[] KilledWhen(Func<bool> reached)
    {
        asked.Clear();
        killed.Reset();
        using Process process = Process.Start(Pull())!;
        for (long end = Environment.TickCount64 + 120_000; !reached(); Thread.Sleep(5))
        {
            Assert.False(process.HasExited, "the pull ended: " + (process.HasExited ? process.StandardError.ReadToEnd() : ""));
            Assert.True(Environment.TickCount64 < end, "the pull got stuck");
        }

        process.Kill();
        process.WaitForExit();
        killed.Set();
        Assert.Equal("", Tool.Run("ostree", "refs", $"--repo={repo}").Ok().Output);
        return [.. asked.Order()];
    }

    private bool Has(int layer, long bytes) => PartialOf(layer) is { } path && new FileInfo(path).Length == bytes;

    [Fact]
    public void Nothing_is_fetched_twice()
    {
        var random = new Random();
        long[] sizes = [.. layers.Select(bytes => (long)bytes.Length)];
        long first = random.NextInt64(1, sizes[0] / 2), second = random.NextInt64(first + 1, sizes[0] - 1), other = random.NextInt64(1, sizes[1]);
        string at = $"killed at {first}, {second} and {other} of {sizes[0]} and {sizes[1]}";

        // Within the first layer, twice. Of the others nothing has come.
        (stops[0], stops[1], stops[2]) = (first, 0, 0);
        Assert.True(KilledWhen(() => Has(0, first) && asked.Count == 3) is [(0, 0), (1, 0), (2, 0)], at);
        stops[0] = second;
        Assert.True(KilledWhen(() => Has(0, second) && asked.Count == 3) is [(0, var again), (1, 0), (2, 0)] && again == first, at);

        // The first is done, the second lacks a byte, and of the third there is some.
        (stops[0], stops[1], stops[2]) = (null, sizes[1] - 1, other);
        Assert.True(KilledWhen(() => IsNoted(0) && Has(1, sizes[1] - 1) && Has(2, other)) is [(0, var third), (1, 0), (2, 0)] && third == second, at);

        // Now all of it: what is noted is not asked for, of the others the rest.
        (stops[1], stops[2]) = (null, null);
        asked.Clear();
        using (Process process = Process.Start(Pull())!)
        {
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error);
        }

        Assert.Equal([(1, sizes[1] - 1), (2, other)], asked.Order());
        Assert.Empty(Partial());
        Assert.False(Directory.Exists(Path.Combine(repo, "extensions/oci-ostree")));
        Tool.Run("ostree", "fsck", "--quiet", $"--repo={repo}").Ok();
        string image = Tool.Run("ostree", "refs", $"--repo={repo}", "--list", "ostree/container/image").Ok().OutputLine;
        Assert.Equal("60", Tool.Shell($"ostree ls -R --repo={repo} {image} /usr/share/data | grep -c '^-'").Ok().OutputLine);
    }

    [Fact]
    public void What_is_kept_of_layers_goes_with_unused_layers()
    {
        (stops[0], stops[1], stops[2]) = (1000, 0, 0);
        KilledWhen(() => Has(0, 1000));
        Assert.Equal("Removed layers: 0", OurProgram.Run("container", "image", "prune-layers", $"--repo={repo}").Ok().OutputLine);
        Assert.Empty(Partial());
    }
}
