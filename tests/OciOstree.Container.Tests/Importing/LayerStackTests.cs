using System.Text;
using OciOstree.Formats.Tar;

namespace OciOstree.Container.Tests;

/// <summary>Random stacks of layers: the imported tree is what another reader of images, umoci, unpacks from them, mapped by ostree's rules.</summary>
public sealed class LayerStackTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    // FUZZ_SEEDS=FROM-TO looks at many more.
    private static IEnumerable<int> Seeds()
    {
        var range = Environment.GetEnvironmentVariable("FUZZ_SEEDS")?.Split('-') ?? ["1", "16"];
        return Enumerable.Range(int.Parse(range[0]), int.Parse(range[1]) - int.Parse(range[0]) + 1);
    }

    [Fact]
    public void AnyStackIsFlattenedAsARuntimeWould()
    {
        List<string> wrong = [];
        foreach (var seed in Seeds())
        {
            var stack = new LayerStack(seed);
            var image = new MemoryImage();
            List<string> told = [];
            for (var layers = 2 + (seed % 5); layers > 0; layers--)
            {
                var tar = stack.Next();
                image.AddTar(tar);
                told.Add($"layer {told.Count}: {Tell(tar)}");
            }

            try
            {
                Compare(image, seed);
            }
            catch (Exception e) when (e is ContainerException or ToolException)
            {
                wrong.Add($"seed {seed}: {e.Message}: {e.InnerException?.Message} {e.InnerException?.InnerException?.Message}\n{string.Join('\n', told)}");
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} differ:\n" + string.Join("\n\n", wrong.Take(5)));
    }

    // The entries, for who must find out what went wrong.
    private static string Tell(byte[] tar)
    {
        var reader = new TarReader(new MemoryStream(tar));
        List<string> entries = [];
        while (reader.Next() is { } entry)
        {
            entries.Add($"{entry.Type} {entry} {Convert.ToString(entry.Mode, 8)} {entry.Uid}:{entry.Gid}{(entry.Type == TarEntryType.HardLink ? " = " + Encoding.UTF8.GetString(entry.LinkName) : "")}");
        }

        return string.Join("; ", entries);
    }

    private void Compare(MemoryImage image, int seed)
    {
        var (expected, actual, layout) = (test.Scratch[$"expected-{seed}"], test.Scratch[$"actual-{seed}"], test.Scratch[$"layout-{seed}"]);
        image.WriteLayout(layout);
        Tool.Shell($"""
            umoci raw unpack --image {layout}:1 {expected} >/dev/null
            cd {expected}
            find . -type p -delete
            if [ -e etc ]; then mkdir -p usr/etc; cp -a etc/. usr/etc/; rm -r etc; fi
            """).Ok();
        var merge = test.Import(image, $"stack-{seed}").MergeCommit;
        Tool.Run("ostree", $"--repo={test.Path}", "checkout", merge.ToString(), actual).Ok();
        TreeSnapshot.AssertEqual(expected, actual);
        Tool.Run("rm", "-rf", expected, actual, layout).Ok();
    }
}
