using OciOstree.Registry.Configuration;
using OciOstree.Testing;

namespace OciOstree.Registry.Tests;

public sealed class RegistriesConfTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("registries");

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void The_longest_prefix_decides()
    {
        const string Conf = """
            [[registry]]
            location = "example.com"
            insecure = true
            [[registry]]
            prefix = "example.com/foo"
            location = "inside.net/bar"
            [[registry]]
            prefix = "example.com/foo/bad"
            blocked = true
            """;
        Assert.Equal(["example.com/x/y insecure"], Pull(Conf, "example.com/x/y"));
        Assert.Equal(["inside.net/bar/image"], Pull(Conf, "example.com/foo/image:1"));
        Assert.Equal(["example.com/foobar insecure"], Pull(Conf, "example.com/foobar"));
        Assert.Equal(["example.com:5000/foo"], Pull(Conf, "example.com:5000/foo"));
        Assert.Contains("blocks example.com/foo/bad", Assert.Throws<RegistryException>(() => Pull(Conf, "example.com/foo/bad:2")).Message);
    }

    [Fact]
    public void Mirrors_come_first_and_only_for_what_they_are_for()
    {
        const string Conf = """
            [[registry]]
            prefix = "quay.io/os"
            location = "quay.io/os"
            [[registry.mirror]]
            location = "m1.lan:5000/cache"
            insecure = true
            [[registry.mirror]]
            location = "m2.lan"
            pull-from-mirror = "digest-only"
            [[registry.mirror]]
            location = "m3.lan"
            pull-from-mirror = "tag-only"
            """;
        Assert.Equal(["m1.lan:5000/cache/x insecure", "m3.lan/x", "quay.io/os/x"], Pull(Conf, "quay.io/os/x:1"));
        Assert.Equal(["m1.lan:5000/cache/x insecure", "m2.lan/x", "quay.io/os/x"], Pull(Conf, $"quay.io/os/x@{Digest.Compute([])}"));
    }

    [Fact]
    public void Mirrors_may_be_for_digests_alone()
    {
        const string Conf = """
            [[registry]]
            location = "quay.io"
            mirror-by-digest-only = true
            mirror = [ { location = "m.lan" } ]
            """;
        Assert.Equal(["quay.io/x"], Pull(Conf, "quay.io/x:1"));
        Assert.Equal(["m.lan/x", "quay.io/x"], Pull(Conf, $"quay.io/x@{Digest.Compute([])}"));
    }

    [Fact]
    public void Wildcards_match_subdomains_and_rewrite_the_host()
    {
        const string Conf = """
            [[registry]]
            prefix = "*.example.com"
            location = "proxy.lan/example"
            [[registry]]
            prefix = "*.example.org"
            insecure = true
            """;
        Assert.Equal(["proxy.lan/example/foo/x"], Pull(Conf, "a.b.example.com/foo/x"));
        Assert.Equal(["example.com/foo"], Pull(Conf, "example.com/foo"));
        Assert.Equal(["a.example.org:5000/foo insecure"], Pull(Conf, "a.example.org:5000/foo"));
    }

    [Fact]
    public void Version_1_is_read()
    {
        const string Conf = """
            [registries.insecure]
            registries = ['old.lan:5000']
            [registries.block]
            registries = ["bad.io"]
            """;
        Assert.Equal(["old.lan:5000/x insecure"], Pull(Conf, "old.lan:5000/x"));
        Assert.Throws<RegistryException>(() => Pull(Conf, "bad.io/x"));
    }

    [Fact]
    public void The_command_line_wins()
    {
        const string Conf = """
            [[registry]]
            location = "a.lan"
            insecure = true
            """;
        Assert.Equal(["a.lan/x"], Pull(Conf, "a.lan/x", tlsVerify: true));
        Assert.Equal(["b.lan/x insecure"], Pull(Conf, "b.lan/x", tlsVerify: false));
    }

    [Theory]
    [InlineData("[[registry]]\ninsecure = true", "neither prefix nor location")]
    [InlineData("[[registry]]\nprefix = \"a.*.com\"", "wildcard")]
    [InlineData("[[registry]]\nlocation = \"a\"\n[[registry.mirror]]\ninsecure=true", "no location")]
    [InlineData("[[registry]]\nlocation = \"a\"\nmirror=[{location=\"b\", pull-from-mirror=\"never\"}]", "never")]
    [InlineData("[[registry", "line 1")]
    public void Says_which_file_is_wrong_and_why(string conf, string reason)
    {
        var message = Assert.Throws<RegistryException>(() => Pull(conf, "a/x")).Message;
        Assert.Contains(reason, message);
        Assert.Contains("registries.conf", message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("localhost/os", null, " http")]
    [InlineData("127.0.0.1:5000/os", null, " http")]
    [InlineData("[::1]:5000/os", null, " http")]
    [InlineData("127.0.0.1:5000/os", false, " insecure")]
    [InlineData("127.0.0.1:5000/os", true, "")]
    [InlineData("127.0.0.1.example.com/os", null, "")]
    [InlineData("192.168.0.1:5000/os", null, "")]
    public void Only_this_machine_may_do_without_tls_unless_told(string name, bool? tlsVerify, string expected) =>
        Assert.Equal([name + expected], Pull("", name, tlsVerify));

    [Fact]
    public void A_rule_may_demand_tls_of_this_machine_too() =>
        Assert.Equal(["localhost/os"], Pull("[[registry]]\nlocation = \"localhost\"", "localhost/os"));

    private List<string> Pull(string conf, string name, bool? tlsVerify = null)
    {
        var path = scratch.Write("registries.conf", conf);
        var parsed = name.StartsWith("a/", StringComparison.Ordinal) ? new RegistryName("a", "x", "latest", null) : RegistryName.Parse(name);
        return [.. RegistriesConf.Load(path).ForPull(parsed, tlsVerify).Select(e => e + (e.Insecure ? " insecure" : "") + (e.PlainHttp ? " http" : ""))];
    }
}
