using System.Text;
using OciOstree.Registry.Http;
using OciOstree.Testing;

namespace OciOstree.Registry.Tests;

public class AuthenticationTests : RegistryTest
{
    private const string Secret = "hunter2-s3cret";
    private readonly byte[] layer = Noise(1000);

    public AuthenticationTests()
    {
        Fake.AddImage(Repository, "v1", layer);
        Options = Options with { Anonymous = false, AuthFile = Auth("alice", Secret) };
    }

    [Fact]
    public void Basic_is_sent_once_it_is_asked_for()
    {
        Fake.Intercept = RequireBasic;
        Assert.Equal(layer, Fetch(layer));
    }

    [Fact]
    public void Basic_that_is_refused_says_who_not_what()
    {
        Options = Options with { AuthFile = Auth("alice", "wrong-" + Secret) };
        Fake.Intercept = RequireBasic;
        var message = FailToFetchManifest();
        Assert.Contains("refused the credentials of alice", message);
        Assert.DoesNotContain(Secret, message);
    }

    [Fact]
    public void No_credentials_are_said_to_be_missing()
    {
        Fake.Intercept = RequireBasic;
        Options = Options with { AuthFile = Scratch.Write("empty.json", "{}") };
        Assert.Contains("there are none for it", FailToFetchManifest());
        Options = Options with { Anonymous = true };
        Assert.Contains("requires credentials", FailToFetchManifest());
    }

    [Fact]
    public void A_token_is_asked_for_once_and_used_again()
    {
        using var tokens = TokenServer((exchange, user) => user == $"alice:{Secret}" ? """{"token":"t0ken","expires_in":300}""" : null);
        Fake.Intercept = RequireToken(tokens.Host, "t0ken");
        Images.Copy(Image, ImageReference.Parse("oci:" + Scratch["copy"]), sourceOptions: Options);
        var request = Assert.Single(tokens.Requests);
        Assert.Equal("alice", request.Query("account"));
        Assert.Equal("lab svc", request.Query("service"));
        Assert.Equal($"repository:{Repository}:pull", request.Query("scope"));
    }

    [Fact]
    public void Tokens_may_be_had_without_credentials()
    {
        using var tokens = TokenServer((_, user) => user is null ? """{"access_token":"anon"}""" : null);
        Fake.Intercept = RequireToken(tokens.Host, "anon");
        Options = Options with { Anonymous = true };
        Assert.Equal(layer, Fetch(layer));
    }

    [Fact]
    public void A_token_that_expires_early_is_renewed()
    {
        var issued = 0;
        using var tokens = TokenServer((_, _) => $$"""{"token":"t{{++issued}}"}""");
        Fake.Intercept = exchange => RequireToken(tokens.Host, $"t{Math.Max(issued, exchange.Path.Contains("/blobs/") ? 2 : 1)}")(exchange);
        using var source = Images.OpenSource(Image, Options);
        var manifest = source.FetchManifest().Manifest;
        Assert.Equal(layer, ReadAll(source.OpenBlob(manifest.Layers[0])));
        Assert.Equal(2, issued);
    }

    [Fact]
    public void A_refused_login_at_the_token_server_is_said_without_the_secret()
    {
        using var tokens = TokenServer((_, _) => null);
        Fake.Intercept = RequireToken(tokens.Host, "never");
        var message = FailToFetchManifest();
        Assert.Contains("refused the credentials of alice", message);
        Assert.DoesNotContain(Secret, message);
        Assert.DoesNotContain(Convert.ToBase64String(Bytes($"alice:{Secret}")), message);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":"a\r\nX-Evil: 1"}""")]
    [InlineData("nonsense")]
    public void A_token_server_that_talks_nonsense_is_an_error(string reply)
    {
        using var tokens = TokenServer((_, _) => reply);
        Fake.Intercept = RequireToken(tokens.Host, "x");
        Assert.Contains("token", FailToFetchManifest());
    }

    [Theory]
    [InlineData("Bearer service=\"x\"")]
    [InlineData("Bearer realm=\"file:///etc/passwd\"")]
    [InlineData("Bearer realm=\"nonsense\"")]
    [InlineData("Negotiate")]
    [InlineData("")]
    public void A_challenge_without_an_answer_is_an_error(string challenge)
    {
        Fake.Intercept = exchange =>
        {
            exchange.Respond(401, null, ("WWW-Authenticate", challenge));
            return true;
        };
        Assert.Contains(Fake.Host, FailToFetchManifest());
    }

    [Fact]
    public void An_identity_token_is_exchanged_by_post()
    {
        using var tokens = new TestServer(exchange => exchange.Respond(
            exchange.Method == "POST" && Encoding.UTF8.GetString(exchange.Body).Contains("refresh_token=id-tok") ? 200 : 401,
            Bytes("""{"access_token":"t"}""")));
        Fake.Intercept = RequireToken(tokens.Host, "t");
        Options = Options with { AuthFile = Scratch.Write("id.json", $$$"""{"auths":{"{{{Fake.Host}}}":{"identitytoken":"id-tok"} } }""") };
        Assert.Equal(layer, Fetch(layer));
    }

    [Fact]
    public void The_most_specific_entry_is_taken()
    {
        Options = Options with
        {
            AuthFile = Scratch.Write("auth.json", $$$"""
                {"auths":{
                  "{{{Fake.Host}}}":{"auth":"{{{Base64("bob:no")}}}"},
                  "{{{Fake.Host}}}/os":{"auth":"{{{Base64($"alice:{Secret}")}}}"},
                  "{{{Fake.Host}}}/os/other":{"auth":"{{{Base64("carol:no")}}}"} } }
                """),
        };
        Fake.Intercept = RequireBasic;
        Assert.Equal(layer, Fetch(layer));
    }

    [Fact]
    public void A_url_as_docker_writes_it_is_a_host()
    {
        Options = Options with { AuthFile = Scratch.Write("url.json", $$$"""{"auths":{"https://{{{Fake.Host}}}/v1/":{"auth":"{{{Base64($"alice:{Secret}")}}}"} } }""") };
        Fake.Intercept = RequireBasic;
        Assert.Equal(layer, Fetch(layer));
    }

    [Fact]
    public void Helpers_are_asked()
    {
        var helper = Scratch.Write("bin/docker-credential-test", $$"""
            #!/bin/sh
            read -r server
            [ "$1 $server" = "get {{Fake.Host}}" ] || { echo "credentials not found in native keychain"; exit 1; }
            echo '{"ServerURL":"x","Username":"alice","Secret":"{{Secret}}"}'
            """);
        Tool.Run("chmod", "+x", helper).Ok();
        Environment.SetEnvironmentVariable("PATH", Scratch["bin"] + ":" + Environment.GetEnvironmentVariable("PATH"));
        Fake.Intercept = RequireBasic;
        foreach (var json in new[] { $$$"""{"credHelpers":{"{{{Fake.Host}}}":"test"}}""", """{"credsStore":"test"}""" })
        {
            Options = Options with { AuthFile = Scratch.Write("helper.json", json) };
            Assert.Equal(layer, Fetch(layer));
        }

        Options = Options with { AuthFile = Scratch.Write("helper.json", $$$"""{"credHelpers":{"{{{Fake.Host}}}":"does-not-exist"}}""") };
        Assert.Contains("docker-credential-does-not-exist", FailToFetchManifest());
        Options = Options with { AuthFile = Scratch.Write("helper.json", $$$"""{"credHelpers":{"{{{Fake.Host}}}":"../x"}}""") };
        Assert.Contains("invalid credential helper", FailToFetchManifest());
    }

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"auths":{"HOST":{"auth":"%%%"}}}""", "base64")]
    [InlineData("""{"auths":{"HOST":{"auth":"bm9jb2xvbg=="}}}""", "user:password")]
    [InlineData("""{"auths":{"HOST":5}}""", "not a JSON object")]
    public void A_broken_file_is_named_and_its_secrets_are_not(string json, string reason)
    {
        var path = Scratch.Write("broken.json", json.Replace("HOST", Fake.Host));
        Options = Options with { AuthFile = path };
        Fake.Intercept = RequireBasic;
        var message = FailToFetchManifest();
        Assert.Contains(path, message);
        Assert.Contains(reason, message);
        Assert.DoesNotContain("nocolon", message);
    }

    [Fact]
    public void A_file_that_was_asked_for_must_exist()
    {
        Options = Options with { AuthFile = Scratch["nowhere.json"] };
        Fake.Intercept = RequireBasic;
        Assert.Contains("no such file", FailToFetchManifest());
    }

    [Fact]
    public void Printing_a_credential_shows_no_secret() =>
        Assert.DoesNotContain(Secret, $"{new RegistryCredential { Username = "u", Password = Secret, IdentityToken = Secret }}");

    [Fact]
    public void Challenges_are_taken_apart()
    {
        var challenges = Challenge.Parse("""Bearer realm="https://a/b?c=d,e",service="x \"y\"" , scope=plain, Basic realm="z", Negotiate""");
        Assert.Equal(["Bearer", "Basic", "Negotiate"], challenges.Select(c => c.Scheme));
        Assert.Equal("https://a/b?c=d,e", challenges[0].Parameters["Realm"]);
        Assert.Equal("x \"y\"", challenges[0].Parameters["service"]);
        Assert.Equal("plain", challenges[0].Parameters["scope"]);
        Assert.Empty(Challenge.Parse(""));
        Assert.Empty(Challenge.Parse(", ,"));
        Assert.Single(Challenge.Parse("Basic realm=\"unterminated"));
        Assert.Empty(Challenge.Parse("=\"x\""));
    }

    private static string Base64(string text) => Convert.ToBase64String(Bytes(text));

    private string Auth(string user, string password) =>
        Scratch.Write($"{user}-{password.Length}.json", $$$"""{"auths":{"{{{Fake.Host}}}":{"auth":"{{{Base64($"{user}:{password}")}}}"} } }""");

    private bool RequireBasic(HttpExchange exchange)
    {
        if (exchange.Headers.GetValueOrDefault("Authorization") == "Basic " + Base64($"alice:{Secret}"))
        {
            return false;
        }

        exchange.Respond(401, null, ("WWW-Authenticate", "Basic realm=\"lab\""));
        return true;
    }

    private static Func<HttpExchange, bool> RequireToken(string tokenHost, string token) => exchange =>
    {
        if (exchange.Headers.GetValueOrDefault("Authorization") == "Bearer " + token)
        {
            return false;
        }

        exchange.Respond(401, null, ("WWW-Authenticate", $"Bearer realm=\"http://{tokenHost}/token\",service=\"lab svc\",scope=\"ignored\""));
        return true;
    };

    private static TestServer TokenServer(Func<HttpExchange, string?, string?> issue) => new(exchange =>
    {
        var user = exchange.Headers.TryGetValue("Authorization", out var header) ? Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..])) : null;
        var reply = issue(exchange, user);
        exchange.Respond(reply is null ? 401 : 200, reply is null ? null : Bytes(reply));
    });
}
