using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>What the verbs about images say: to programs as JSON, to people in the peer's words, at a terminal, and when something is asked that makes no sense.</summary>
public sealed class ImageOutputTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("image-output");
    private readonly string repo;

    public ImageOutputTests()
    {
        repo = scratch["repo"];
        OurProgram.Run("init", "--repo=" + repo, "--mode=bare").Ok();
        OurProgram.Run("init", "--repo=" + scratch["build"], "--mode=bare").Ok();
    }

    public void Dispose() => scratch.Dispose();

    private string Make(string version)
    {
        scratch.Write("tree/usr/bin/tool", "tool\n");
        scratch.Write("tree/usr/share/version", version);
        OurProgram.Run("commit", "--repo=" + scratch["build"], "--branch=os", "--tree=dir=" + scratch["tree"], "--add-metadata-string=version=" + version).Ok();
        OurProgram.Run("container", "encapsulate", "--quiet", "--repo=" + scratch["build"], "os", $"oci:{scratch["image"]}:{version}").Ok();
        return $"oci:{scratch["image"]}:{version}";
    }

    private static JsonElement Json(params string[] arguments) => JsonDocument.Parse(OurProgram.Run([.. arguments, "--json"]).Ok().Output).RootElement;

    private static string Digest(string image) => JsonDocument.Parse(Tool.Run("skopeo", "inspect", image).Ok().Output).RootElement.GetProperty("Digest").GetString()!;

    [Fact]
    public void A_check_tells_three_states_apart()
    {
        string first = Make("1"), second = Make("2"), name = $"oci:{scratch["moving"]}:x";
        Tool.Run("skopeo", "copy", first, name).Ok();
        string[] check = ["container", "image", "pull", repo, "ostree-unverified-image:" + name, "--check=" + scratch["newer"]];

        // Not there: the manifest is written, standard output stays as empty as the peer's.
        ToolResult result = OurProgram.Run(check).Ok();
        Assert.Equal("", result.Output);
        Assert.Matches($"^Not pulled yet: {Digest(first)}, version 1, ([0-9]+) of \\1 layers to fetch ", result.Error);
        Assert.True(File.Exists(scratch["newer"]));
        JsonElement json = Json(check);
        Assert.True(json.GetProperty("changed").GetBoolean());
        Assert.False(json.TryGetProperty("previousManifestDigest", out _));

        // There and the same: nothing is written.
        OurProgram.Run("container", "image", "pull", "--quiet", repo, "ostree-unverified-image:" + name).Ok();
        File.Delete(scratch["newer"]);
        result = OurProgram.Run(check).Ok();
        Assert.StartsWith("No changes in ", result.Output);
        Assert.False(File.Exists(scratch["newer"]));
        json = Json(check);
        Assert.False(json.GetProperty("changed").GetBoolean());
        Assert.Equal(Digest(first), json.GetProperty("manifestDigest").GetString());

        // There, and another now.
        Tool.Run("skopeo", "copy", second, name).Ok();
        result = OurProgram.Run(check).Ok();
        Assert.Equal("", result.Output);
        Assert.StartsWith($"Newer image: {Digest(second)}, version 2, ", result.Error);
        Assert.Equal("", OurProgram.Run([.. check, "--quiet"]).Ok().Error);
        json = Json(check);
        Assert.Equal((Digest(second), Digest(first)), (json.GetProperty("manifestDigest").GetString(), json.GetProperty("previousManifestDigest").GetString()));
        Assert.True(json.GetProperty("layersToFetch").GetInt32() < json.GetProperty("layers").GetInt32());
    }

    [Fact]
    public void Every_verb_has_its_result_as_json()
    {
        string image = Make("1");
        string commit = Tool.Run("ostree", "rev-parse", "--repo", scratch["build"], "os").Ok().OutputLine;

        // The repository as an option, as with every other verb.
        JsonElement json = Json("container", "image", "pull", "--repo=" + repo, "ostree-unverified-image:" + image, "--quiet");
        string merge = json.GetProperty("commit").GetString()!;
        Assert.Equal(Digest(image), json.GetProperty("manifestDigest").GetString());

        json = Json("container", "image", "history", "--repo=" + repo, image);
        JsonElement config = JsonDocument.Parse(Tool.Run("skopeo", "inspect", "--config", "--raw", image).Ok().Output).RootElement;
        Assert.Equal(
            config.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray().Select(id => id.GetString()),
            json.EnumerateArray().Select(layer => layer.GetProperty("diffId").GetString()));
        Assert.Equal(
            config.GetProperty("history").EnumerateArray().Select(entry => entry.GetProperty("created").GetString()),
            json.EnumerateArray().Select(layer => layer.GetProperty("created").GetString()));
        Assert.Equal("ostree", json[0].GetProperty("kind").GetString());

        json = Json("container", "image", "copy", image, $"oci:{scratch["copy"]}:1", "--quiet");
        Assert.Equal((Digest(image), $"oci:{scratch["copy"]}:1"), (json.GetProperty("digest").GetString(), json.GetProperty("image").GetString()));
        Assert.True(json.GetProperty("bytesSent").GetInt64() > 0);
        json = Json("container", "image", "reexport", "--repo=" + repo, image, $"oci:{scratch["again"]}:1", "--quiet");
        Assert.Equal(Digest($"oci:{scratch["again"]}:1"), json.GetProperty("digest").GetString());
        json = Json("container", "image", "push", "--repo=" + repo, image, $"dir:{scratch["pushed"]}", "--quiet");
        Assert.Equal(Digest($"dir:{scratch["pushed"]}"), json.GetProperty("digest").GetString());
        json = Json("container", "image", "replace-detached-metadata", "--src=" + image, $"--dest=oci:{scratch["plain"]}:1", "--quiet");
        Assert.Equal(Digest($"oci:{scratch["plain"]}:1"), json.GetProperty("digest").GetString());

        OurProgram.Run("init", "--repo=" + scratch["other"], "--mode=archive").Ok();
        json = Json("container", "image", "copy", "--src-repo=" + repo, "--dest-repo=" + scratch["other"], "ostree-unverified-image:" + image);
        Assert.Equal((merge, Digest(image)), (json.GetProperty("commit").GetString(), json.GetProperty("manifestDigest").GetString()));
        Tool.Run("ostree", "fsck", "--quiet", "--repo", scratch["other"]).Ok();

        Tool.Shell($"{OurProgram.Path()} tar export --repo=build os >os.tar && openssl genrsa -out key.pem 2048", scratch.Path).Ok();
        json = Json("tar", "import", "--repo=" + repo, scratch["os.tar"]);
        Assert.Equal(commit, json.GetProperty("commit").GetString());
        json = Json("ima-sign", "--repo=" + scratch["build"], "os", "signed", "sha256", scratch["key.pem"]);
        Assert.Equal((Tool.Run("ostree", "rev-parse", "--repo", scratch["build"], "signed").Ok().OutputLine, "signed"), (json.GetProperty("commit").GetString(), json.GetProperty("ref").GetString()));

        // An image named twice is one.
        json = Json("container", "image", "remove", "--repo=" + repo, "--skip-gc", image, image);
        Assert.Equal(image, Assert.Single(json.GetProperty("images").EnumerateArray()).GetString());
        Assert.False(json.TryGetProperty("layers", out _));
        Assert.True(Json("container", "image", "prune-layers", "--repo=" + repo).GetProperty("layers").GetInt32() > 0);

        // Layers whose image went before are pruned, too.
        Tool.Run("ostree", "admin", "init-fs", scratch.MakeDirectory("sys")).Ok();
        string deployed = scratch["sys/ostree/repo"];
        OurProgram.Run("container", "image", "pull", "--quiet", deployed, "ostree-unverified-image:" + image).Ok();
        OurProgram.Run("container", "image", "remove", "--skip-gc", "--repo=" + deployed, image).Ok();
        Assert.Matches("^No unreferenced images.\nRemoved layers: [1-9]", OurProgram.Run("container", "image", "prune-images", "--sysroot=" + scratch["sys"], "--and-layers").Ok().Output);
        OurProgram.Run("container", "image", "pull", "--quiet", deployed, "ostree-unverified-image:" + image).Ok();
        json = Json("container", "image", "prune-images", "--sysroot=" + scratch["sys"], "--full");
        Assert.Equal(image, Assert.Single(json.GetProperty("images").EnumerateArray()).GetString());
        Assert.True(json.GetProperty("objects").GetInt32() > 0 && json.GetProperty("bytesFreed").GetInt64() > 0);
    }

    [Fact]
    public void What_is_not_stored_is_compared_where_it_is()
    {
        string first = Make("1"), second = Make("2");
        OurProgram.Run("container", "image", "pull", "--quiet", repo, "ostree-unverified-image:" + first).Ok();
        string there = OurProgram.Run("container", "compare", first, second).Ok().Output;
        Assert.Equal(there, OurProgram.Run("container", "compare", "--repo=" + repo, first, second).Ok().Output);

        // The same content compressed another way is not to be fetched.
        Tool.Run("skopeo", "copy", "--dest-compress-format=zstd", "--dest-decompress", first, $"dir:{scratch["plain"]}").Ok();
        Assert.Matches("\nTo fetch:  +0 +Size: 0 bytes\n", OurProgram.Run("container", "compare", first, $"dir:{scratch["plain"]}").Ok().Output);
        Assert.Equal(0, Json("container", "compare", first, $"dir:{scratch["plain"]}").GetProperty("layers").GetProperty("bytesToFetch").GetInt64());
    }

    [Fact]
    public void Results_go_to_the_files_that_are_named()
    {
        string image = Make("1");
        string[] pull = ["container", "image", "pull", repo, "ostree-unverified-image:" + image, "--quiet"];

        // What cannot be written is said before anything is fetched.
        ToolResult refused = OurProgram.Run([.. pull, "--ostree-digestfile=" + scratch["none/digest"]]).Failed();
        Assert.Equal($"error: open {scratch["none"]}: No such file or directory\n", refused.Error);
        Assert.Equal("", OurProgram.Run("container", "image", "list", "--repo=" + repo).Ok().Output);

        // A file is replaced, a link leads to it still, and what is no file is written to.
        File.CreateSymbolicLink(scratch["link"], scratch.Write("digest", "something longer than any checksum of a commit could ever be, to be sure"));
        string commit = OurProgram.Run([.. pull, "--ostree-digestfile=" + scratch["link"]]).Ok().OutputLine.Split(" => ")[1];
        Assert.Equal((commit, scratch["digest"]), (File.ReadAllText(scratch["digest"]), new FileInfo(scratch["link"]).LinkTarget));
        string? output = new FileInfo("/dev/stdout").LinkTarget;
        Assert.StartsWith(commit, OurProgram.Run([.. pull, "--ostree-digestfile=/dev/stdout"]).Ok().Output);
        Tool.Shell($"{OurProgram.Path()} {string.Join(' ', pull)} --check=/dev/stdout >out; echo before >out2; {OurProgram.Path()} container image pull build ostree-unverified-image:{image} --check=/dev/stdout >>out2", scratch.Path).Ok();
        Assert.StartsWith("before\n{", File.ReadAllText(scratch["out2"]));
        Assert.Equal(output, new FileInfo("/dev/stdout").LinkTarget);

        // As skopeo writes it: without a newline.
        OurProgram.Run("container", "image", "copy", "--quiet", image, $"oci:{scratch["copy"]}:1", "--digestfile=" + scratch["copied"]).Ok();
        Tool.Run("skopeo", "copy", "--digestfile=" + scratch["skopeo"], image, $"oci:{scratch["copy"]}:2").Ok();
        Assert.Equal(File.ReadAllText(scratch["skopeo"]), File.ReadAllText(scratch["copied"]));
    }

    [Fact]
    public void Who_may_not_give_files_away_is_told_what_needs_that()
    {
        Tool.Run("chown", "1:1", scratch.Write("tree/usr/bin/tool", "tool\n")).Ok();
        OurProgram.Run("commit", "--repo=" + scratch["build"], "--branch=os", "--tree=dir=" + scratch["tree"]).Ok();
        OurProgram.Run("container", "encapsulate", "--quiet", "--repo=" + scratch["build"], "os", $"oci:{scratch["image"]}:1").Ok();
        ToolResult refused = Pull(repo).Failed();
        Assert.EndsWith(
            "Writing content object (a bare repository keeps owners and attributes as they are, which needs root; bare-user and archive do not): change the owner of a new object: Operation not permitted\n",
            refused.Error);
        OurProgram.Run("init", "--repo=" + scratch["user"], "--mode=bare-user").Ok();
        Pull(scratch["user"]).Ok();

        ToolResult Pull(string into) => Tool.Run(
            "setpriv", "--bounding-set=-chown", "--inh-caps=-chown", OurProgram.Path(), "container", "image", "pull", "--quiet", into, $"ostree-unverified-image:oci:{scratch["image"]}:1");
    }

    [Fact]
    public void A_terminal_is_spoken_to_as_one()
    {
        // Bars over all layers and for each: the registry waits with a layer until they are there to be seen.
        string ours = OurProgram.Path(), image = Make("1");
        using (var registry = new FakeRegistry())
        {
            byte[][] layers = [.. Enumerable.Range(0, 2).Select(number => File.ReadAllBytes(Tool.Shell($"tar --format=pax -cf {number}.tar tree && echo {scratch[number + ".tar"]}", scratch.Path).Ok().OutputLine))];
            layers[1] = [.. layers[1], .. new byte[10240]];
            registry.AddImage("os", "1", layers);
            registry.Intercept = exchange =>
            {
                for (long end = Environment.TickCount64 + 60_000; exchange.Path.EndsWith("/blobs/" + FakeRegistry.DigestOf(layers[1]), StringComparison.Ordinal) && !SeenBars(); Thread.Sleep(20))
                    Assert.True(Environment.TickCount64 < end, "no bars were seen");
                return false;
            };
            string shown = Terminal($"{ours} container image pull {repo} ostree-unverified-registry:{registry.Host}/os:1 --tls-verify=false", seen: scratch["seen"]);
            Assert.Contains("Wrote: ", shown);
            bool SeenBars() => File.Exists(scratch["seen"]) && System.Text.RegularExpressions.Regex.IsMatch(File.ReadAllText(scratch["seen"]), "1 of 2.*\n" + FakeRegistry.DigestOf(layers[1])["sha256:".Length..][..12]);
        }

        OurProgram.Run("container", "image", "pull", "--quiet", repo, "ostree-unverified-image:" + image).Ok();
        Assert.EndsWith("}\r\n", Terminal($"{ours} container image metadata --repo={repo} {image}"));
        Assert.DoesNotContain('\n', OurProgram.Run("container", "image", "metadata", "--repo=" + repo, image).Ok().Output);

        // No archive is thrown at whoever looks, and none is waited for from a keyboard.
        Assert.Contains("error: An archive on a terminal is of no use", Terminal($"{ours} tar export --repo={scratch["build"]} os", expected: 2));
        Assert.Contains("error: An archive is read from standard input, which is a terminal", Terminal($"{ours} tar import --repo={repo}", expected: 2));

        static string Terminal(string command, int expected = 0, string seen = "/dev/null")
        {
            ToolResult result = Tool.Run(new ToolStart("script") { Environment = new Dictionary<string, string?> { ["TERM"] = "xterm" } }, "-qefc", "stty cols 120; " + command, seen);
            Assert.True(expected == result.ExitCode, result.Output);
            return result.Output;
        }
    }

    [Theory]
    [InlineData("container image pull r", "Missing IMGREF")]
    [InlineData("container image pull --repo=r r ostree-unverified-image:oci:x", "The repository is named twice: as REPO and with --repo")]
    [InlineData("container image pull r ostree-unverified-image:oci:x --platform=a/b/c/d", "invalid platform 'a/b/c/d': want os/architecture[/variant]")]
    [InlineData("container image pull r ostree-unverified-image:oci:x --auth-anonymous --creds=a:b", "--auth-anonymous goes with neither --creds nor --authfile")]
    [InlineData("container image copy oci:a oci:b --all --platform=arm64", "--all takes the images of all platforms: it goes not with --platform")]
    [InlineData("container image copy oci:a", "Missing DESTINATION")]
    [InlineData("container image copy oci:a oci:b --src-creds=:b", "--creds needs a user's name: USERNAME[:PASSWORD]")]
    public void Wrong_usage_is_said_and_exits_with_2(string line, string message)
    {
        // As ostree-ext does for a stock ostree.
        foreach ((string name, string[] words) in new (string, string[])[] { ("oci-ostree", line.Split(' ')), ("ostree-container", line.Split(' ')), ("ostree", line.Split(' ')) })
        {
            ToolResult result = Tool.Run(new ToolStart(OurProgram.Path(name)) { Directory = scratch.Path }, words);
            Assert.Equal((2, $"error: {message}"), (result.ExitCode, result.Error.Split('\n')[0]));
        }
    }
}
