namespace OciOstree.Interop.Tests.Ostree;

/// <summary>What one program signs, the other verifies, lists and deletes: commits and summaries, with OpenPGP and ostree's own kinds.</summary>
public sealed class SignatureTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();

    private delegate ToolResult Program(params string[] words);

    public SignatureTests()
    {
        scratch.Write("tree/file", "content");
        Tool.Shell("ostree init --repo=repo --mode=archive; ostree --repo=repo commit -b main --timestamp=@1 tree", scratch.Path).Ok();
    }

    public void Dispose() => scratch.Dispose();

    private string Repo => "--repo=" + scratch["repo"];

    private static ToolResult Real(params string[] words) => Tool.Run("ostree", words);

    private static ToolResult Ours(params string[] words) => OurProgram.Ostree(words);

    // It reads files of OpenPGP packets, not gpg's own database.
    private static void GiveRealItsKeyring(GpgHome home) => File.WriteAllBytes(Path.Combine(home.Path, "pubring.gpg"), home.Export(home.Trusted, home.Stranger));

    // The real one asks nobody but the system's keyring whose signature is whose.
    private string Delete(bool ours, GpgHome home, string key) => Tool.Run(
        new ToolStart(ours ? OurProgram.Path("ostree") : "ostree") { Environment = new Dictionary<string, string?> { ["OSTREE_GPG_HOME"] = home.Path } },
        "gpg-sign", Repo, "--gpg-homedir=" + home.Path, "--delete", "main", key).Ok().Output;

    private static ToolResult Newest(params string[] words) => SidOstree.Run(words);

    /// <summary>An ed25519 key pair as ostree writes it: base64 of the seed with the public key after it, and of the public key.</summary>
    private (string Secret, string Public) NewKey(string name)
    {
        Tool.Shell($"openssl genpkey -algorithm ed25519 -outform DER -out {name}.der; openssl pkey -in {name}.der -inform DER -pubout -outform DER -out {name}.pub", scratch.Path).Ok();
        byte[] seed = File.ReadAllBytes(scratch[$"{name}.der"])[^32..], key = File.ReadAllBytes(scratch[$"{name}.pub"])[^32..];
        return (Convert.ToBase64String([.. seed, .. key]), Convert.ToBase64String(key));
    }

    // No real program of Debian's can do ed25519: openssl says whether the signature is one of the commit's bytes, and the real one that it does the commit no harm.
    [Fact]
    public void Ed25519_signatures_are_plain_ones_of_the_commit()
    {
        (string secret, string key) = NewKey("one");
        (string _, string other) = NewKey("other");
        Ours("sign", Repo, "main", secret).Ok();
        string commit = Real("rev-parse", Repo, "main").Ok().OutputLine;
        string shown = Ours("show", Repo, "--print-detached-metadata-key=ostree.sign.ed25519", "main").Ok().OutputLine;
        byte[] signature = [.. shown[(shown.IndexOf("[[", StringComparison.Ordinal) + 2)..shown.IndexOf("]]", StringComparison.Ordinal)].Split(',').Select(part => Convert.ToByte(part.Replace("byte", "", StringComparison.Ordinal).Trim(), 16))];
        Assert.Equal(64, signature.Length);
        File.WriteAllBytes(scratch["signature"], signature);
        Tool.Shell($"openssl pkeyutl -verify -pubin -inkey one.pub -keyform DER -rawin -in repo/objects/{commit[..2]}/{commit[2..]}.commit -sigfile signature", scratch.Path).Ok();
        Assert.Equal(shown, Real("show", Repo, "--print-detached-metadata-key=ostree.sign.ed25519", "main").Ok().OutputLine);
        Real("fsck", Repo).Ok();

        scratch.Write("keys", $"{other}\n{key}\n");
        scratch.Write("others", $"{other}\n");
        foreach (string[] words in (string[][])[["main", key], ["main", other, key], ["--keys-file=" + scratch["keys"], "main"]])
            Assert.Contains("Signature verified successfully", Ours(["sign", Repo, "--verify", .. words]).Ok().Output, StringComparison.Ordinal);
        foreach (string[] words in (string[][])[["main", other], ["--keys-file=" + scratch["others"], "main"]])
            Ours(["sign", Repo, "--verify", .. words]).Failed();
        Assert.Equal("", Ours("sign", Repo, "--delete", "main", other).Ok().Output);
        Ours("sign", Repo, "--verify", "main", key).Ok();
        Ours("sign", Repo, "--delete", "main", key).Ok();
        Ours("sign", Repo, "--verify", "main", key).Failed();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Signatures_of_ostrees_kinds_are_each_others(bool oursSigns)
    {
        // What it is for: to try the words and the metadata, without a library for the rest.
        ToolResult Run(bool ours, params string[] words) => Tool.Run(
            new ToolStart(ours ? OurProgram.Path("ostree") : "ostree") { Environment = new Dictionary<string, string?> { ["OSTREE_DUMMY_SIGN_ENABLED"] = "1" } }, [words[0], Repo, "--sign-type=dummy", .. words[1..]]);
        foreach (string key in new[] { "one", "two" })
            Run(oursSigns, "sign", "main", key).Ok();
        foreach (string[] words in (string[][])[["main", "one"], ["main", "other", "two"], ["main", "other"], ["main"]])
        {
            string[] call = ["sign", "--verify", .. words];
            ToolResult signers = Run(oursSigns, call), others = Run(!oursSigns, call);
            Assert.Equal((signers.ExitCode, signers.Output), (others.ExitCode, others.Output));
        }
        // The real one signs again where it is told to delete.
        foreach (string key in new[] { "other", "one", "one" })
            Run(true, "sign", "--delete", "main", key).Ok();
        Run(false, "sign", "--verify", "main", "one").Failed();
        Run(false, "sign", "--verify", "main", "two").Ok();
        Run(oursSigns, "summary", "-u", "--sign=one").Ok();
        foreach (string trusted in new[] { "one", "other" })
        {
            string into = "--repo=" + scratch[trusted];
            Real("init", into, "--mode=bare-user").Ok();
            Real("remote", "add", into, "origin", "file://" + scratch["repo"], "--no-gpg-verify", "--set=sign-verify=dummy", "--set=verification-dummy-key=" + trusted, "--set=sign-verify-summary=true").Ok();
            Run(oursSigns, "sign", "main", "one");
            ToolResult pulled = Tool.Run(
                new ToolStart(oursSigns ? "ostree" : OurProgram.Path("ostree")) { Environment = new Dictionary<string, string?> { ["OSTREE_DUMMY_SIGN_ENABLED"] = "1" } }, "pull", into, "origin", "main");
            Assert.Equal(trusted == "one", pulled.ExitCode == 0);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OpenPgp_signatures_of_commits_are_each_others(bool oursSigns)
    {
        using GpgHome home = new();
        Program signs = oursSigns ? Ours : Real, verifies = oursSigns ? Real : Ours;
        GiveRealItsKeyring(home);
        string gpg = "--gpg-homedir=" + home.Path;
        signs("gpg-sign", Repo, gpg, "main", home.Trusted).Ok();
        signs("gpg-sign", Repo, gpg, "main", home.Stranger).Ok();
        Assert.Equal(Shown(signs), Shown(verifies));
        Assert.Contains("Found 2 signatures", Shown(verifies), StringComparison.Ordinal);
        // By a part of what is known of the key, and not again.
        Assert.Equal("Signatures deleted: 1\n", Delete(!oursSigns, home, home.Stranger[^16..]));
        Assert.Equal("Signatures deleted: 0\n", Delete(!oursSigns, home, home.Stranger));
        Assert.Equal(Shown(signs), Shown(verifies));
        Assert.Contains("Found 1 signature", Shown(signs), StringComparison.Ordinal);
        string again = string.Join('\n', ((ToolResult[])[signs("gpg-sign", Repo, gpg, "main", home.Trusted), verifies("gpg-sign", Repo, gpg, "main", home.Trusted)]).Select(result => result.ExitCode));
        Assert.True(again is "0\n0" or "1\n1", again);

        string Shown(Program program) => program("show", Repo, "--gpg-homedir=" + home.Path, "main").Ok().Output;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Keys_imported_by_one_are_listed_and_trusted_by_the_other(bool oursImports)
    {
        using GpgHome home = new();
        Program imports = oursImports ? Ours : Real, other = oursImports ? Real : Ours;
        GiveRealItsKeyring(home);
        File.WriteAllBytes(scratch["key"], home.Export(home.Trusted));
        Real("gpg-sign", Repo, "--gpg-homedir=" + home.Path, "main", home.Trusted).Ok();
        Real("summary", Repo, "-u", "--gpg-sign=" + home.Trusted, "--gpg-homedir=" + home.Path).Ok();
        string into = "--repo=" + scratch["into"];
        Real("init", into, "--mode=bare-user").Ok();
        Real("remote", "add", into, "origin", "file://" + scratch["repo"], "--set=gpg-verify-summary=true").Ok();
        other("pull", into, "origin", "main").Failed();
        ToolResult imported = imports("remote", "gpg-import", into, "--keyring=" + scratch["key"], "origin").Ok();
        Assert.Contains("Imported 1 GPG key", imported.Output, StringComparison.Ordinal);
        Assert.Equal("Imported 0 GPG keys to remote \"origin\"\n", other("remote", "gpg-import", into, "--keyring=" + scratch["key"], "origin").Ok().Output);
        Assert.Equal(imports("remote", "gpg-list-keys", into, "origin").Ok().Output, other("remote", "gpg-list-keys", into, "origin").Ok().Output);
        Assert.Contains(home.Trusted, other("remote", "gpg-list-keys", into, "origin").Ok().Output, StringComparison.OrdinalIgnoreCase);
        other("pull", into, "origin", "main").Ok();
        Assert.Equal(0, imports("show", into, "origin:main").ExitCode);
        // A stranger's signature is none.
        Assert.Equal("Signatures deleted: 1\n", Delete(!oursImports, home, home.Trusted));
        imports("gpg-sign", Repo, "--gpg-homedir=" + home.Path, "main", home.Stranger).Ok();
        Tool.Shell("rm -rf into/refs/remotes/* into/objects/* into/tmp/cache", scratch.Path).Ok();
        imports("pull", into, "origin", "main").Failed();
        other("pull", into, "origin", "main").Failed();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_summary_made_by_one_is_shown_alike_by_both(bool oursMakes)
    {
        using GpgHome home = new();
        Program makes = oursMakes ? Ours : Real;
        makes("summary", Repo, "-u", "--gpg-sign=" + home.Trusted, "--gpg-homedir=" + home.Path).Ok();
        Assert.True(File.Exists(scratch["repo/summary.sig"]));
        foreach (string how in new[] { "--view", "--raw" })
        {
            string[] real = WithoutSignatures(Newest("summary", Repo, how).Ok()), ours = WithoutSignatures(Ours("summary", Repo, how).Ok());
            Assert.Equal(real, ours);
            Assert.NotEmpty(ours);
        }

        // The newest tells of signatures what depends on keys, on standard output.
        static string[] WithoutSignatures(ToolResult result) => [.. result.OutputLines.TakeWhile(line => !line.StartsWith("Found ", StringComparison.Ordinal))];
    }
}
