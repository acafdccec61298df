using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>The peer's words about stored images: what they print, write and leave.</summary>
public class StoredImageTests
{
    [Fact]
    public void Images_are_pulled_listed_and_pruned()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/usr/bin/tool", "one\n");
        OurProgram.Run("init", "--repo=" + scratch["build"], "--mode=bare").Ok();
        string first = Make("1"), second = Make("2");
        Tool.Run("ostree", "admin", "init-fs", scratch.MakeDirectory("sys")).Ok();
        string repo = scratch["sys/ostree/repo"], name = $"oci:{scratch["moving"]}:x";
        Tool.Run("skopeo", "copy", first, name).Ok();

        // Pull: the commit's checksum goes to a file, without a newline; the same again changes nothing.
        Pull("--ostree-digestfile=" + scratch["digest"]);
        string commit = File.ReadAllText(scratch["digest"]);
        Assert.Matches("^[0-9a-f]{64}$", commit);
        File.Delete(scratch["digest"]);
        Assert.Equal($"No changes in ostree-unverified-image:{name} => {commit}", Pull("--ostree-digestfile=" + scratch["digest"]));
        Assert.Equal(commit, File.ReadAllText(scratch["digest"]));

        // A check with nothing new writes nothing; with something new it writes the manifest, and remembers it, and fetches no layer.
        Pull("--check=" + scratch["check"]);
        Assert.False(File.Exists(scratch["check"]));
        Tool.Run("skopeo", "copy", second, name).Ok();
        int layers = Refs("ostree/container/blob").Length;
        Assert.Equal("", Pull("--check=" + scratch["check"]));
        Assert.Equal(Tool.Run("skopeo", "inspect", "--raw", second).Ok().Output, File.ReadAllText(scratch["check"]));
        Assert.Equal(layers, Refs("ostree/container/blob").Length);
        Assert.Contains("ostree-ext.cached.manifest-digest", Detached());
        Image("clear-cached-update", name);
        Assert.DoesNotContain("ostree-ext.cached", Detached());

        // What there is, and what of it.
        Assert.Equal(name, Image("list"));
        Assert.Equal(Json(Tool.Run("skopeo", "inspect", "--raw", first).Ok().Output), Json(Image("metadata", name)));
        Assert.Equal(Json(Tool.Run("skopeo", "inspect", "--config", "--raw", first).Ok().Output), Json(Image("metadata", "--config", name)));
        string[] history = Image("history", name).Split('\n');
        Assert.StartsWith("ID", history[0]);
        Assert.Equal(layers + 1, history.Length);
        ToolResult none = OurProgram.Run("container", "image", "history", "--repo=" + repo, "docker://example.com/none:1");
        Assert.Equal((1, "error: No such image: docker://example.com/none:1\n"), (none.ExitCode, none.Error));

        // Nothing is deployed, so that everything goes.
        Assert.Equal($"Removed: {name}", Prune());
        Assert.Equal("No unreferenced images.", Prune());
        Assert.NotEmpty(Refs("ostree/container/blob"));
        Pull();
        string[] pruned = Prune("--and-layers").Split('\n');
        Assert.Equal($"Removed: {name}", pruned[0]);
        Assert.StartsWith("Removed layers: ", pruned[1]);
        Assert.Empty(Refs("ostree/container"));
        Pull();
        Assert.StartsWith("Removed images: 1\nRemoved layers: ", Prune("--full"));
        Assert.Equal("No content was pruned.", Prune("--full"));
        Assert.Equal(2, OurProgram.Run("container", "image", "prune-images", "--sysroot=" + scratch["sys"], "--full", "--and-layers").ExitCode);

        // Removed by name, its layers with it.
        Pull();
        Assert.Matches("^Removed images: 1 layers: [1-9]", Image("remove", name));
        Assert.Equal("", Image("list"));

        string Make(string version)
        {
            scratch.Write("tree/usr/bin/changing", version);
            OurProgram.Run("commit", "--repo=" + scratch["build"], "--branch=os", "--tree=dir=" + scratch["tree"], "--add-metadata-string=version=" + version).Ok();
            OurProgram.Run("container", "encapsulate", "--quiet", "--repo=" + scratch["build"], "os", $"oci:{scratch["image"]}:{version}").Ok();
            return $"oci:{scratch["image"]}:{version}";
        }

        string Pull(params string[] options) => OurProgram.Run(["container", "image", "pull", repo, "ostree-unverified-image:" + name, "--quiet", .. options]).Ok().OutputLine;

        string Image(string verb, params string[] rest) => OurProgram.Run(["container", "image", verb, "--repo=" + repo, .. rest]).Ok().OutputLine;

        string Prune(params string[] options) => OurProgram.Run(["container", "image", "prune-images", "--sysroot=" + scratch["sys"], .. options]).Ok().OutputLine;

        string[] Refs(string prefix) => Tool.Run("ostree", "refs", "--repo", repo, "--list", prefix).Ok().OutputLines;

        string Detached() => string.Concat(Directory.EnumerateFiles(Path.Combine(repo, "objects"), "*.commitmeta", SearchOption.AllDirectories).Select(File.ReadAllText));
    }

    // Spelt in one way: the store has the values in an order of their own.
    private static string Json(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return Sort(document.RootElement);

        static string Sort(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.Object => "{" + string.Join(',', value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"{member.Name}:{Sort(member.Value)}")) + "}",
            JsonValueKind.Array => "[" + string.Join(',', value.EnumerateArray().Select(Sort)) + "]",
            _ => value.GetRawText(),
        };
    }
}
