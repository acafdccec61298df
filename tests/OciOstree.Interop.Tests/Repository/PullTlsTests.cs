namespace OciOstree.Interop.Tests;

/// <summary>Whom the real <c>ostree</c> and ours trust over TLS, and how they show who they are, as a remote's keys say.</summary>
public sealed class PullTlsTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("pull-tls");
    private readonly RepoServer server;

    public PullTlsTests()
    {
        scratch.Write("tree/usr/file", "content");
        Tool.Shell("ostree init --repo=source --mode=archive; ostree commit --repo=source -b main tree; ostree summary --repo=source -u", scratch.Path).Ok();
        server = new RepoServer(scratch["source"]);
    }

    public void Dispose()
    {
        server.Dispose();
        scratch.Dispose();
    }

    [Theory]
    [InlineData(false, "", "certificate")]
    [InlineData(false, "--set=tls-ca-path=authority.pem", null)]
    [InlineData(false, "--set=tls-permissive=true", null)]
    [InlineData(false, "--set=tls-ca-path=absent.pem", "")]
    [InlineData(true, "--set=tls-ca-path=authority.pem", "")]
    [InlineData(true, "--set=tls-ca-path=authority.pem --set=tls-client-cert-path=client.pem --set=tls-client-key-path=client.key", null)]
    [InlineData(true, "--set=tls-ca-path=authority.pem --set=tls-client-cert-path=client.pem", "must specify both \"tls-client-cert-path\" and \"tls-client-key-path\"")]
    public void Both_trust_and_are_trusted_alike(bool wantsClients, string options, string? complaint)
    {
        using TlsFront front = new(scratch.Path, new Uri(server.Url).Authority, wantsClients);
        foreach (string program in (string[])["ostree", OurProgram.Path("ostree")])
        {
            Tool.Shell($"rm -rf repo; ostree init --repo=repo --mode=bare-user; ostree remote add --repo=repo --no-gpg-verify {options} origin {front.Url}", scratch.Path).Ok();
            ToolResult pull = Tool.Run(new ToolStart(program) { Directory = scratch.Path }, "pull", "--repo=repo", "--network-retries=0", "origin", "main");
            Assert.True(pull.ExitCode == (complaint is null ? 0 : 1), $"{program}: {pull.ExitCode} {pull.Error}");
            Assert.Contains(complaint ?? "", pull.Error);
            Assert.Equal(complaint is null ? "origin:main\n" : "", Tool.Shell("ostree refs --repo=repo", scratch.Path).Ok().Output);
            if (complaint is not null)
                Assert.Single(pull.Error.TrimEnd('\n').Split('\n'));
        }
        if (complaint is not null)
            Assert.Empty(server.Requests);
    }
}
