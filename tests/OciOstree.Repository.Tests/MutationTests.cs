using System.Text;

namespace OciOstree.Repository.Tests;

/// <summary>Texts that remotes and users write, damaged: a value or the format's own exception, in memory that the input accounts for.</summary>
public sealed class MutationTests
{
    [Fact]
    public void Metalinks() => Mutations.Feed<MetalinkException>("""
        <?xml version="1.0" encoding="utf-8"?>
        <metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="summary"><size>123</size>
        <verification><hash type="md5">x</hash><hash type="sha256">e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</hash></verification>
        <resources maxconnections="1"><url protocol="http" type="http" location="US" preference="99">http://example.org/repo/summary</url></resources></file></files></metalink>
        """u8.ToArray(), bytes => Metalink.Parse(bytes, "summary"));

    [Fact]
    public void Refspecs() => Mutations.Feed<RepositoryException>("fedora:fedora/x86_64/coreos"u8.ToArray(), bytes => RefSpec.Parse(Encoding.UTF8.GetString(bytes)));

    [Fact]
    public void Cookies()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        CookieJar jar = new(repo, "o");
        Mutations.Feed<RepositoryException>("# Netscape HTTP Cookie File\n.example.org\tTRUE\t/\tFALSE\t2000000000\tname\tvalue\n"u8.ToArray(), bytes =>
        {
            File.WriteAllBytes(scratch["repo/o.cookies.txt"], bytes);
            jar.List();
        }, rounds: 500, refuses: false);
    }

    [Fact]
    public void Configurations()
    {
        using ScratchDirectory scratch = new();
        Repo.Create(scratch["repo"], RepoMode.Archive).Dispose();
        Mutations.Feed<RepositoryException>("[core]\nrepo_version=1\nmode=archive-z2\nmin-free-space-size=1MB\nlock-timeout-secs=5\ntmp-expiry-secs=1\nadd-remotes-config-dir=false\n\n[remote \"o\"]\nurl=http://x/\n"u8.ToArray(), bytes =>
        {
            File.WriteAllBytes(scratch["repo/config"], bytes);
            Repo.Open(scratch["repo"]).Dispose();
        }, rounds: 500);
    }
}
