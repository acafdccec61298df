using System.Text.Json;
using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary><c>container image copy</c> and <c>inspect</c> side by side with skopeo, podman and a real registry.</summary>
public sealed class ImageCopyTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("copy");

    // podman refuses paths of more than 50 characters here.
    private readonly DirectoryInfo podmanRun = Directory.CreateTempSubdirectory("podman-");

    public void Dispose()
    {
        scratch.Dispose();
        podmanRun.Delete(recursive: true);
    }

    [Theory]
    [InlineData("gzip -n", "+gzip")]
    [InlineData("zstd -q", "+zstd")]
    [InlineData("cat", "")]
    public void A_registry_takes_our_image_and_gives_it_to_skopeo_and_back(string compressor, string suffix)
    {
        using var registry = LocalRegistry.Open(scratch);
        string source = SampleImage.Make(scratch, compressor, suffix);
        string digest = Digest(source);
        Copy(source, $"docker://{registry.Host}/a/b:v1", "--tls-verify=false");
        Assert.Equal(digest, SkopeoDigest($"docker://{registry.Host}/a/b:v1", "--tls-verify=false"));
        Copy($"docker://{registry.Host}/a/b:v1", $"oci:{scratch["back"]}:v1", "--tls-verify=false");
        Assert.Equal(digest, SkopeoDigest($"oci:{scratch["back"]}:v1"));
        Tool.Run("diff", "-r", scratch["sample/blobs"], scratch["back/blobs"]).Ok();
    }

    [Theory]
    [InlineData("oci:{0}/x:v1")]
    [InlineData("oci:{0}/x")]
    [InlineData("oci-archive:{0}/x:v1")]
    [InlineData("oci-archive:{0}/x")]
    [InlineData("dir:{0}/x")]
    [InlineData("docker-archive:{0}/x:docker.io/a/b:v1")]
    public void What_we_write_skopeo_reads_and_what_it_writes_we_read(string place)
    {
        string source = SampleImage.Make(scratch);
        string ours = string.Format(place, scratch.MakeDirectory("ours"));
        string theirs = string.Format(place, scratch.MakeDirectory("theirs"));
        Copy(source, ours);
        Tool.Run("skopeo", "copy", "-q", source, theirs).Ok();

        // Through the other program and into a layout: the same layers, uncompressed where the format has them so.
        Tool.Run("skopeo", "copy", "-q", ours, $"oci:{scratch["a"]}:v1").Ok();
        Copy(theirs, $"oci:{scratch["b"]}:v1");
        foreach (string copy in new[] { "a", "b" })
        {
            // skopeo writes a configuration anew when it goes from Docker's form to OCI's.
            Assert.Equal(RootFs(source), RootFs($"oci:{scratch[copy]}:v1"));
        }

        if (!place.StartsWith("docker-archive", StringComparison.Ordinal))
            Assert.Equal(Digest(source), Digest(theirs));
    }

    [Fact]
    public void Podman_loads_our_docker_archive()
    {
        string name = $"localhost/oci-ostree-test-{Guid.NewGuid():N}:v1";
        Copy(SampleImage.Make(scratch), $"docker-archive:{scratch["image.tar"]}:{name}");
        Podman("load", "-q", "-i", scratch["image.tar"]).Ok();
        Assert.Contains(name, Podman("images", "--format", "{{.Repository}}:{{.Tag}}").Ok().Output);
    }

    [Fact]
    public void A_user_may_be_named_for_both_sides_or_for_one()
    {
        using var registry = LocalRegistry.WithPassword(scratch);
        string source = SampleImage.Make(scratch), image = $"docker://{registry.Host}/os:v1", user = $"{LocalRegistry.User}:{LocalRegistry.Password}";
        Copy(source, image, "--tls-verify=false", "--dest-creds=" + user);
        ToolResult refused = OurProgram.Run("inspect", image, "--tls-verify=false", $"--creds={LocalRegistry.User}:wrong").Failed();
        Assert.Equal(1, refused.ExitCode);
        Assert.DoesNotContain("wrong", refused.Error);
        Assert.Contains(Digest(source), OurProgram.Run("inspect", image, "--tls-verify=false", "--creds=" + user).Ok().Output);
        Copy(image, $"oci:{scratch["back"]}:v1", "--tls-verify=false", "--src-authfile=" + registry.AuthFile(scratch));

        // A password that is not to be seen in the list of processes comes on standard input.
        ToolStart asked = new(OurProgram.Path()) { Input = System.Text.Encoding.UTF8.GetBytes(LocalRegistry.Password + "\n") };
        Assert.Contains(Digest(source), Tool.Run(asked, "inspect", image, "--tls-verify=false", "--creds=" + LocalRegistry.User).Ok().Output);
    }

    [Fact]
    public void A_password_is_needed_and_is_never_shown()
    {
        using var registry = LocalRegistry.WithPassword(scratch);
        string source = SampleImage.Make(scratch);
        string image = $"docker://{registry.Host}/a/b:v1";
        ToolResult refused = OurProgram.Run("container", "image", "copy", source, image, "--tls-verify=false", "--authfile", registry.AuthFile(scratch, "wrong-password")).Failed();
        Assert.Contains("refused the credentials of alice", refused.Error);
        Assert.DoesNotContain("wrong-password", refused.Error);
        Assert.Contains("requires credentials", OurProgram.Run("inspect", image, "--tls-verify=false", "--auth-anonymous").Failed().Error);
        Copy(source, image, "--tls-verify=false", "--authfile", registry.AuthFile(scratch));
        Assert.Equal(Digest(source), SkopeoDigest(image, "--tls-verify=false", "--authfile", registry.AuthFile(scratch)));
    }

    [Theory]
    [InlineData("REGISTRY_AUTH_FILE", "anywhere.json")]
    [InlineData("XDG_RUNTIME_DIR", "run/containers/auth.json")]
    [InlineData("HOME", "home/.config/containers/auth.json")]
    [InlineData("HOME", "home/.docker/config.json")]
    [InlineData("DOCKER_CONFIG", "docker/config.json")]
    public void Credentials_are_found_where_podman_and_docker_keep_them(string variable, string place)
    {
        using var registry = LocalRegistry.WithPassword(scratch);
        string source = SampleImage.Make(scratch);
        Copy(source, $"docker://{registry.Host}/a/b:v1", "--tls-verify=false", "--authfile", registry.AuthFile(scratch));
        scratch.MakeDirectory(Path.GetDirectoryName(place)!);
        File.Copy(registry.AuthFile(scratch), scratch[place]);
        var environment = new Dictionary<string, string?>
        {
            ["HOME"] = scratch["nobody"],
            ["XDG_RUNTIME_DIR"] = null,
            ["REGISTRY_AUTH_FILE"] = null,
            ["DOCKER_CONFIG"] = null,
            ["XDG_CONFIG_HOME"] = null,
        };
        environment[variable] = scratch[variable == "REGISTRY_AUTH_FILE" ? place : variable == "DOCKER_CONFIG" ? "docker" : place.Split('/')[0]];
        var start = new ToolStart(OurProgram.Path()) { Environment = environment };
        Tool.Run(start, "inspect", "--tls-verify=false", $"docker://{registry.Host}/a/b:v1").Ok();
    }

    [Fact]
    public void Certificates_are_found_where_podman_keeps_them()
    {
        using var registry = LocalRegistry.WithTls(scratch);
        string source = SampleImage.Make(scratch);
        string image = $"docker://{registry.Host}/a/b:v1";
        string place = scratch.MakeDirectory($"home/.config/containers/certs.d/{registry.Host}");
        var start = new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["HOME"] = scratch["home"] } };
        Assert.Contains("unknown authority", Tool.Run(start, "inspect", image).Failed().Error);
        File.Copy(scratch["certs/ca.crt"], Path.Combine(place, "ca.crt"));
        Tool.Run(start, "container", "image", "copy", source, image).Ok();
        Tool.Run(start, "inspect", image).Ok();
    }

    [Fact]
    public void Tokens_are_fetched_from_the_token_server()
    {
        using var issuer = new TokenIssuer(scratch);
        using var registry = LocalRegistry.WithTokens(scratch, issuer.Realm, issuer.CertificatePath);
        string source = SampleImage.Make(scratch);
        string image = $"docker://{registry.Host}/a/b:v1";
        Assert.NotEqual(0, OurProgram.Run("container", "image", "copy", source, image, "--tls-verify=false", "--auth-anonymous").ExitCode);
        Copy(source, image, "--tls-verify=false", "--authfile", registry.AuthFile(scratch));
        int before = issuer.Server.Requests.Count;
        Copy(image, $"oci:{scratch["back"]}", "--tls-verify=false", "--auth-anonymous");
        Assert.Equal(before + 1, issuer.Server.Requests.Count);
    }

    [Fact]
    public void Certificates_are_believed_only_when_vouched_for()
    {
        using var registry = LocalRegistry.WithTls(scratch);
        string source = SampleImage.Make(scratch);
        string image = $"docker://{registry.Host}/a/b:v1";
        Assert.Contains("signed by an unknown authority", OurProgram.Run("container", "image", "copy", source, image).Failed().Error);
        Copy(source, image, "--cert-dir", scratch["certs"]);
        Copy(image, $"dir:{scratch["insecure"]}", "--tls-verify=false");

        // Another authority does not help, and neither does the right one for another name.
        LocalRegistry.MakeCertificate(scratch.MakeDirectory("other") + "/ca.crt", scratch["other.key"], "localhost");
        Assert.Contains("unknown authority", OurProgram.Run("inspect", image, "--cert-dir", scratch["other"]).Failed().Error);
        string otherName = image.Replace("127.0.0.1", "127.0.0.2");
        Assert.NotEqual(0, OurProgram.Run("inspect", otherName, "--cert-dir", scratch["certs"]).ExitCode);
    }

    [Fact]
    public void Plain_http_is_for_this_machine_and_for_those_who_ask_for_it()
    {
        using var registry = LocalRegistry.Open(scratch);
        string source = SampleImage.Make(scratch);
        string image = $"docker://{registry.Host}/a/b:v1";
        Copy(source, image);
        Assert.Contains("no TLS", OurProgram.Run("container", "image", "copy", source, image, "--tls-verify=true").Failed().Error);
        Assert.Contains("no TLS", Run(insecure: false).Failed().Error);
        Run(insecure: true).Ok();

        ToolResult Run(bool insecure)
        {
            string conf = scratch.Write("registries.conf", $"[[registry]]\nlocation = \"{registry.Host}\"\ninsecure = {(insecure ? "true" : "false")}\n");
            return Tool.Run(
                new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["CONTAINERS_REGISTRIES_CONF"] = conf } },
                "container", "image", "copy", source, image);
        }
    }

    [Fact]
    public void A_client_certificate_is_shown_to_who_demands_one()
    {
        scratch.MakeDirectory("certs");
        LocalRegistry.MakeCertificate(scratch["certs/client.cert"], scratch["certs/client.key"], "client");
        LocalRegistry.MakeCertificate(scratch["certs/ca.crt"], scratch["server.key"], "localhost");
        File.Copy(scratch["certs/client.cert"], scratch["clients.pem"]);
        string source = SampleImage.Make(scratch);
        int port = 0;
        using var registry = LocalRegistry.Open(scratch);
        using var proxy = new TlsProxy(scratch, registry.Host, ref port);
        string image = $"docker://127.0.0.1:{port}/a/b:v1";
        Copy(source, image, "--cert-dir", scratch["certs"]);
        scratch.MakeDirectory("without");
        File.Copy(scratch["certs/ca.crt"], scratch["without/ca.crt"]);
        Assert.NotEqual(0, OurProgram.Run("inspect", image, "--cert-dir", scratch["without"]).ExitCode);
    }

    [Fact]
    public void Layers_that_are_there_are_not_sent_again()
    {
        using var registry = LocalRegistry.Open(scratch);
        string source = SampleImage.Make(scratch);
        Copy(source, $"docker://{registry.Host}/a/b:v1", "--tls-verify=false");
        string again = OurProgram.Run("container", "image", "copy", source, $"docker://{registry.Host}/a/b:v2", "--tls-verify=false").Ok().Output;
        Assert.Contains("0 bytes moved", again);
        string mounted = OurProgram.Run("container", "image", "copy", $"docker://{registry.Host}/a/b:v1", $"docker://{registry.Host}/c:v1", "--tls-verify=false").Ok().Output;
        Assert.Contains("0 bytes moved", mounted);
    }

    [Fact]
    public void Inspect_says_what_skopeo_says()
    {
        string source = SampleImage.Make(scratch);
        using JsonDocument ours = JsonDocument.Parse(OurProgram.Run("inspect", "--json", source).Ok().OutputBytes);
        using JsonDocument theirs = JsonDocument.Parse(Tool.Run("skopeo", "inspect", source).Ok().OutputBytes);
        Assert.Equal(theirs.RootElement.GetProperty("Digest").GetString(), ours.RootElement.GetProperty("digest").GetString());
        Assert.Equal(
            theirs.RootElement.GetProperty("Layers").EnumerateArray().Select(l => l.GetString()),
            ours.RootElement.GetProperty("layers").EnumerateArray().Select(l => l.GetProperty("digest").GetString()));
        Assert.Equal(Tool.Run("skopeo", "inspect", "--raw", source).Ok().OutputBytes, OurProgram.Run("inspect", "--raw", source).Ok().OutputBytes);
        Assert.Equal(Tool.Run("skopeo", "inspect", "--raw", "--config", source).Ok().OutputBytes, OurProgram.Run("inspect", "--config", source).Ok().OutputBytes);
        Assert.Contains("made.by: test", OurProgram.Run("inspect", source).Ok().Output);
    }

    [Fact]
    public void A_name_without_registry_is_an_error_of_one_line()
    {
        ToolResult result = OurProgram.Run("inspect", "docker://debian").Failed();
        Assert.Contains("short names are not looked up", result.Error);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
    }

    private static void Copy(string source, string destination, params string[] options) =>
        OurProgram.Run(["container", "image", "copy", "-q", source, destination, .. options]).Ok();

    private static string Digest(string image)
    {
        using JsonDocument summary = JsonDocument.Parse(OurProgram.Run("inspect", "--json", image).Ok().OutputBytes);
        return summary.RootElement.GetProperty("digest").GetString()!;
    }

    private static string RootFs(string image)
    {
        using JsonDocument config = JsonDocument.Parse(Tool.Run("skopeo", "inspect", "--config", "--raw", image).Ok().OutputBytes);
        return config.RootElement.GetProperty("rootfs").GetRawText() + config.RootElement.GetProperty("config").GetRawText();
    }

    private static string SkopeoDigest(string image, params string[] options) =>
        Tool.Run("skopeo", ["inspect", "--format", "{{.Digest}}", .. options, image]).Ok().OutputLine;

    private ToolResult Podman(params string[] arguments) =>
        Tool.Run("podman", ["--root", scratch["podman"], "--runroot", podmanRun.FullName, "--storage-driver", "vfs", .. arguments]);
}
