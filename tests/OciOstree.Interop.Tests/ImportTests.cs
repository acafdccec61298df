using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>Images from real builders and registries, imported by the published executable and judged by the real programs.</summary>
public sealed class ImportTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("import");

    public void Dispose() => scratch.Dispose();

    private static string Golden(string name) => Path.Combine(OurProgram.CheckoutRoot, "tests/OciOstree.Container.Tests/golden", name);

    private string Init(string name = "repo", string mode = "bare")
    {
        Tool.Run("ostree", "init", $"--repo={scratch[name]}", $"--mode={mode}").Ok();
        return scratch[name];
    }

    private static string Ostree(string repo, params string[] arguments) => Tool.Run("ostree", [$"--repo={repo}", .. arguments]).Ok().OutputLine;

    /// <summary>A commit of a small system whose programs are busybox, as an image.</summary>
    private string BaseImage(string destination)
    {
        var tree = scratch.MakeDirectory("tree");
        Tool.Shell(
            """
            set -e
            mkdir -p usr/bin usr/lib/data usr/etc/conf.d usr/share/doc dev proc run sys tmp var sysroot boot
            chmod 1777 tmp
            cp /bin/busybox usr/bin/busybox
            for applet in sh cat chmod chown echo ln mkdir mv rm sed touch; do ln usr/bin/busybox usr/bin/$applet; done
            ln -s usr/bin bin; ln -s usr/lib lib; ln -s sysroot/ostree ostree
            echo 'NAME=Test' >usr/lib/os-release
            echo root:x:0:0::/:/bin/sh >usr/etc/passwd
            for i in 1 2 3 4 5 6 7 8; do echo "data $i" >usr/lib/data/$i; echo "conf $i" >usr/etc/conf.d/$i; done
            ln usr/lib/data/1 usr/etc/linked; ln usr/lib/data/1 usr/lib/data/one
            ln -s ../lib/data usr/share/link
            mkdir -p usr/share/replaced/deep; echo x >usr/share/replaced/deep/file
            touch usr/share/empty
            """,
            tree).Ok();
        var repo = Init("build");
        Ostree(repo, "commit", "--branch=base", $"--tree=dir={tree}", "--add-metadata-string=version=1");
        OurProgram.Run("container", "encapsulate", $"--repo={repo}", "base", destination).Ok();
        return Ostree(repo, "rev-parse", "base");
    }

    [Theory]
    [InlineData("bare")]
    [InlineData("bare-user")]
    [InlineData("archive")]
    public void GoldenImagesImportAndTheRealOstreeAcceptsThem(string mode)
    {
        var repo = Init(mode: mode);
        foreach (var name in (string[])["alpha-single", "alpha-chunked", "alpha-derived"])
        {
            var result = OurProgram.Run("container", "image", "pull", repo, $"ostree-unverified-image:oci-archive:{Golden(name + ".ociarchive")}").Ok();
            var merge = result.OutputLine.Split(" => ")[1];
            var expected = File.ReadAllLines(Golden(name + ".tree"));
            Assert.Equal(expected, Listing(repo, merge));
        }

        Ostree(repo, "fsck", "--quiet");
        var images = OurProgram.Run("container", "image", "list", $"--repo={repo}").Ok().OutputLines;
        Assert.Equal(3, images.Length);
        OurProgram.Run(["container", "image", "remove", $"--repo={repo}", .. images]).Ok();
        Assert.Equal("", Ostree(repo, "refs"));
    }

    // The lines of the golden .tree files, from what the real ostree lists.
    private static string[] Listing(string repo, string commit) =>
    [
        .. Ostree(repo, "ls", "-RC", commit).Split('\n').Select(line =>
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return line[0] == 'd' ? $"{words[6]}\tdirmeta {words[5]}" : $"{words[5]}\tfile {words[4]}";
        }).Order(StringComparer.Ordinal),
    ];

    [Fact]
    public void PullsFromARegistry()
    {
        using var registry = RegistryServer.Start(scratch);
        Tool.Run("skopeo", "copy", "--dest-tls-verify=false", $"oci-archive:{Golden("alpha-derived.ociarchive")}", $"docker://{registry.Host}/alpha/derived:latest").Ok();
        var repo = Init();
        var reference = $"ostree-unverified-registry:{registry.Host}/alpha/derived:latest";
        var json = JsonDocument.Parse(OurProgram.Run("container", "image", "pull", repo, reference, "--insecure-skip-tls-verification", "--json").Ok().Output).RootElement;
        Assert.True(json.GetProperty("changed").GetBoolean());
        Assert.Equal(12, json.GetProperty("layersFetched").GetInt32());
        Assert.Equal(2, json.GetProperty("dropped").GetProperty("opt").GetInt32());
        Assert.Equal($"docker://{registry.Host}/alpha/derived:latest", OurProgram.Run("container", "image", "list", $"--repo={repo}").Ok().OutputLine);
        var again = OurProgram.Run("container", "image", "pull", repo, reference, "--insecure-skip-tls-verification").Ok().OutputLine;
        Assert.Equal($"No changes in {reference} => {json.GetProperty("commit").GetString()}", again);

        Tool.Run("skopeo", "copy", "--dest-tls-verify=false", $"oci-archive:{Golden("alpha-chunked.ociarchive")}", $"docker://{registry.Host}/alpha/derived:latest").Ok();
        var update = OurProgram.Run("container", "image", "pull", repo, reference, "--insecure-skip-tls-verification").Ok();
        Assert.Contains("Removed layers:   2", update.Output);
        Assert.Equal(10, Ostree(repo, "refs", "--list", "ostree/container/blob").Split('\n').Length);
        Ostree(repo, "fsck", "--quiet");
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("vfs")] // rewrites files in place, through all of their hard links
    public void WhatAContainerfileMakesIsWhatItsRuntimeShows(string driver)
    {
        BaseImage($"oci:{scratch["base"]}:latest");
        using var engine = new ContainerEngine(scratch, driver);
        var containerfile = scratch.Write("context/Containerfile",
            $"""
            FROM oci:{scratch["base"]}:latest
            RUN echo changed >>/etc/conf.d/1 && rm /etc/conf.d/2 && echo new >/etc/conf.d/new && chmod 600 /etc/conf.d/3
            RUN rm -rf /usr/share/replaced && echo 'now a file' >/usr/share/replaced
            RUN rm /usr/share/link && mkdir -m 2750 /usr/share/link && touch /usr/share/link/inside && chown 5:6 /usr/share/link/inside
            RUN echo more >>/usr/lib/data/1 && chmod 4755 /usr/lib/data/4 && mv /usr/lib/data/5 /usr/lib/data/five
            RUN ln /usr/lib/data/6 /usr/lib/data/six && ln -s six /usr/lib/data/symlink && chmod 0711 /usr/lib/data
            RUN rm /usr/lib/data/7 && mkdir /usr/lib/data/7 && echo deep >/usr/lib/data/7/file
            RUN rm -rf /usr/lib/data/7 && echo again >/usr/lib/data/7
            RUN mkdir -p /var/lib/state /opt/app && echo state >/var/lib/state/x && echo app >/opt/app/x && echo gone >/run/x && echo gone >/tmp/x
            RUN echo 'long name' >/usr/lib/data/{new string('n', 200)} && mkdir -p "/usr/lib/data/ünïcode dir" && touch "/usr/lib/data/ünïcode dir/日本"
            """);
        engine.Build(containerfile, $"oci:{scratch["derived"]}:latest");

        var repo = Init();
        var result = OurProgram.Run("container", "image", "pull", repo, $"ostree-unverified-image:oci:{scratch["derived"]}:latest").Ok();
        Assert.Contains("opt: 3", result.Error);
        Ostree(repo, "fsck", "--quiet");
        Ostree(repo, "checkout", result.OutputLine.Split(" => ")[1], scratch["checkout"]);

        // What the runtime shows, by the rules: etc lives in usr/etc, the API file systems are empty, other top levels stay away.
        engine.WithMounted("localhost/built", mounted =>
            Tool.Shell(
                """
                set -e
                cp -a "$(cat ../mounted)/." .
                rm -rf run/* tmp/* dev/* proc/* sys/* sysroot/* opt
                rm -rf usr/etc; mv etc usr/etc
                rmdir var/tmp # of the image, not of the commit
                chmod 755 .
                for file in usr/etc/hostname usr/etc/resolv.conf; do [ -s $file ] || rm -f $file; done
                """,
                Expected(mounted)).Ok());
        TreeSnapshot.AssertEqual(scratch["expected"], scratch["checkout"]);
    }

    private string Expected(string mounted)
    {
        scratch.Write("mounted", mounted);
        return scratch.MakeDirectory("expected");
    }

    [Fact]
    public void AKilledPullGoesOnWhereItWas()
    {
        BaseImage($"oci:{scratch["base"]}:latest");
        using var engine = new ContainerEngine(scratch, "vfs");
        var script = string.Join('\n', Enumerable.Range(0, 5).Select(i => $"RUN i=0; while [ $i -lt 400 ]; do echo {i} $i >/usr/lib/data/{i}-$i; i=$((i+1)); done"));
        engine.Run("bud", "--isolation", "chroot", "--layers", "--tag", "localhost/built", "--file", scratch.Write("context/Containerfile", $"FROM oci:{scratch["base"]}:latest\n{script}\n"), scratch["context"]).Ok();
        engine.Run("push", "localhost/built", $"oci:{scratch["derived"]}:latest").Ok();

        var repo = Init();
        var reference = $"ostree-unverified-image:oci:{scratch["derived"]}:latest";
        Tool.Shell($"'{OurProgram.Path()}' container image pull '{repo}' '{reference}' & pid=$!; while kill -0 $pid && [ \"$(ls '{repo}/extensions/oci-ostree/layers' 2>/dev/null | wc -l)\" -lt 4 ]; do :; done; kill -9 $pid; wait $pid || true").Ok();
        Assert.Equal("", Ostree(repo, "refs"));
        var result = OurProgram.Run("container", "image", "pull", repo, reference).Ok();
        var present = int.Parse(result.Output.Split("layers already present: ")[1].Split(';')[0]);
        Assert.True(present >= 4, result.Output);
        Ostree(repo, "fsck", "--quiet");
        Assert.Equal("400", Tool.Shell($"ostree --repo='{repo}' ls {result.OutputLines[^1].Split(" => ")[1]} /usr/lib/data | grep -c 'data/4-'").Ok().OutputLine);
    }

    [Fact]
    public void UnencapsulateBringsTheCommit()
    {
        var commit = BaseImage($"oci-archive:{scratch["base.ociarchive"]}");
        foreach (var mode in (string[])["bare", "archive"])
        {
            var repo = Init(mode, mode);
            var result = OurProgram.Run("container", "unencapsulate", $"--repo={repo}", "--write-ref=got/it", $"ostree-unverified-image:oci-archive:{scratch["base.ociarchive"]}").Ok();
            Assert.Equal($"Imported: got/it => {commit}", result.OutputLine);
            Assert.Equal("got/it", Ostree(repo, "refs"));
            Ostree(repo, "fsck", "--quiet");
        }
    }

    [Theory]
    [InlineData("bogus:x", "invalid ostree image reference scheme 'bogus'")]
    [InlineData("ostree-unverified-image:bogus:x", "unknown transport 'bogus'")]
    [InlineData("ostree-image-signed:oci:/nowhere", "insecureAcceptAnything")]
    [InlineData("ostree-unverified-image:oci:/nowhere", "/nowhere")]
    public void ErrorsAreOneLineAndExitWith1(string reference, string reason)
    {
        var repo = Init();
        var policy = scratch.Write("policy.json", """{"default": [{"type": "insecureAcceptAnything"}]}""");
        var result = Tool.Run(new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["CONTAINERS_POLICY_JSON"] = policy } }, "container", "image", "pull", repo, reference).Failed();
        Assert.StartsWith("error: ", result.Error);
        Assert.Contains(reason, result.Error);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal("", Ostree(repo, "refs"));
    }

    [Fact]
    public void ATamperedBlobIsRefused()
    {
        var repo = Init();
        Tool.Run("skopeo", "copy", $"oci-archive:{Golden("alpha-derived.ociarchive")}", $"oci:{scratch["image"]}:latest").Ok();
        var blob = scratch["image/blobs/sha256/65add1fd2bdc70e1870045b44201b5dac2dc975ebde5bf3dc5ce1737a27e592f"];
        var bytes = File.ReadAllBytes(blob);
        bytes[100] ^= 1;
        File.WriteAllBytes(blob, bytes);
        var result = OurProgram.Run("container", "image", "pull", repo, $"ostree-unverified-image:oci:{scratch["image"]}:latest").Failed();
        Assert.Contains("65add1fd2bdc70e1870045b44201b5dac2dc975ebde5bf3dc5ce1737a27e592f", result.Error);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal("", Ostree(repo, "refs"));
        Ostree(repo, "fsck", "--quiet");
        Assert.Empty(Directory.GetFiles(Path.Combine(repo, "objects"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void DeploysAnImageUnderTheNameToFollow()
    {
        var sysroot = scratch.MakeDirectory("sysroot");
        Tool.Run("ostree", "admin", "init-fs", sysroot).Ok();
        Tool.Run("ostree", "admin", "os-init", $"--sysroot={sysroot}", "test").Ok();
        OurProgram.Run(
            "container", "image", "deploy", $"--sysroot={sysroot}", "--stateroot=test", $"--imgref=ostree-unverified-image:oci-archive:{Golden("alpha-derived.ociarchive")}",
            "--target-imgref=ostree-unverified-registry:quay.io/example/os:1", "--karg=root=LABEL=root", "--karg=rw", $"--write-commitid-to={scratch["commit"]}").Ok();
        var commit = File.ReadAllText(scratch["commit"]);
        Assert.Contains($"test {commit}.0", Tool.Run("ostree", "admin", "status", $"--sysroot={sysroot}").Ok().Output);
        var deployment = Path.Combine(sysroot, $"ostree/deploy/test/deploy/{commit}.0");
        Assert.Contains("container-image-reference=ostree-unverified-registry:quay.io/example/os:1", File.ReadAllText(deployment + ".origin"));
        Assert.Equal(4, File.ReadAllText(Path.Combine(deployment, "etc/marker2")).Length);
        Assert.Contains("options root=LABEL=root rw ostree=/ostree/boot.", File.ReadAllText(Directory.GetFiles(Path.Combine(sysroot, "boot/loader/entries"))[0]));
        Assert.Equal("docker://quay.io/example/os:1", OurProgram.Run("container", "image", "list", $"--repo={sysroot}/ostree/repo").Ok().OutputLine);

        var before = Tool.Run("ostree", "admin", "status", $"--sysroot={sysroot}").Ok().Output;
        var refused = OurProgram.Run("container", "image", "deploy", $"--sysroot={sysroot}", "--stateroot=other", $"--imgref=ostree-unverified-image:oci-archive:{Golden("alpha-single.ociarchive")}").Failed();
        Assert.Equal("error: No such stateroot: other (there is test; `ostree admin stateroot-init other` makes it)\n", refused.Error);
        Assert.Equal(before, Tool.Run("ostree", "admin", "status", $"--sysroot={sysroot}").Ok().Output);
        Tool.Run("chattr", "-i", deployment);
    }
}
