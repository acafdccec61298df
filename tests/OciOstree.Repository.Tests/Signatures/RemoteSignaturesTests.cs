using OciOstree.Formats.GVariant;

namespace OciOstree.Repository.Tests.Signatures;

public sealed class RemoteSignaturesTests(GpgHome home) : IClassFixture<GpgHome>, IDisposable
{
    // RFC 8032, 7.1, the first two keys
    private static readonly string Public = Base64("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), Other = Base64("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    private static readonly Signer Signer = Signer.FromText(SignatureType.Ed25519, Base64("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
    private static readonly byte[] Data = "commit or summary"u8.ToArray();

    private readonly ScratchDirectory scratch = new("trust");

    public void Dispose() => scratch.Dispose();

    private void With(string options, Action<RemoteSignatures> check)
    {
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive, "repo", $"[remote \"origin\"]\nurl=http://127.0.0.1:1/\n{options}");
        try
        {
            File.WriteAllBytes(scratch["repo/origin.trustedkeys.gpg"], home.Export(home.Trusted));
            check(RemoteSignatures.Of(repo, Remote.Find(repo, "origin")));
        }
        finally
        {
            Directory.Delete(scratch["repo"], recursive: true);
        }
    }

    private static void Verify(RemoteSignatures signatures, Variant? metadata) => signatures.VerifyCommit(default, Data, metadata);

    [Fact]
    public void Each_kind_that_is_wanted_must_pass()
    {
        Variant ours = Signer.AddTo(null, Data), gpg = Gpg(home.Trusted), both = Signer.AddTo(gpg, Data);
        With("", signatures =>
        {
            Assert.True(signatures is { CoverCommits: true, CoverSummary: false });
            Verify(signatures, gpg);
            Assert.Contains("GPG verification enabled, but no signatures found", Refused(() => Verify(signatures, ours)));
        });
        With($"gpg-verify=false\nsign-verify=ed25519\nverification-ed25519-key={Public}\n", signatures =>
        {
            Verify(signatures, ours);
            Assert.Equal("Can't verify commit: No signatures found", Refused(() => Verify(signatures, gpg)));
            Assert.Equal("Can't verify commit without detached metadata", Refused(() => Verify(signatures, null)));
        });
        With($"sign-verify=true\nverification-ed25519-key={Public}\n", signatures =>
        {
            Verify(signatures, both);
            Refused(() => Verify(signatures, ours));
            Refused(() => Verify(signatures, gpg));
            Refused(() => Verify(signatures, Signer.AddTo(Gpg(home.Stranger), Data)));
            Assert.Contains("GPG: Signature made", signatures.DescribeCommit(Data, both));
            Assert.EndsWith($"ed25519: Signature verified successfully with key '{Convert.ToHexStringLower(Convert.FromBase64String(Public))}'", signatures.DescribeCommit(Data, both));
        });
        With($"gpg-verify=false\nsign-verify=true\nverification-ed25519-key={Other}\n", signatures =>
            Assert.StartsWith("Can't verify commit: ed25519: Signature couldn't be verified with: key '3d40", Refused(() => Verify(signatures, ours))));
        With("gpg-verify=false\nsign-verify=false\n", signatures =>
        {
            Assert.False(signatures.CoverCommits);
            Verify(signatures, null);
            Assert.Contains("no signapi verifiers configured", Refused(() => signatures.DescribeCommit(Data, both)));
        });
    }

    [Fact]
    public void Keys_that_cannot_be_had_fail_before_anything_is_pulled()
    {
        scratch.Write("keys", $"{Other}\n{Public}\n");
        Variant ours = Signer.AddTo(null, Data);
        With($"gpg-verify=false\nsign-verify=ed25519;\nverification-ed25519-file={scratch["keys"]}\n", signatures => Verify(signatures, ours));
        With($"gpg-verify=false\nsign-verify=true\nverification-ed25519-file={scratch["keys"]}\nverification-ed25519-key={Other}\n", signatures => Verify(signatures, ours));
        foreach ((string options, string reason) in new[]
        {
            ("sign-verify=ed25519\n", "No keys found for required signapi type ed25519"), ("sign-verify=rot13\n", "Requested signature type is not implemented"),
            ("sign-verify=ed25519\nverification-ed25519-key=AAAA\n", "Failed loading 'ed25519' keys from inline"), ($"sign-verify=true\nverification-spki-file={scratch["nope"]}\n", "Failed loading 'spki' keys from"),
            ("gpg-verify=perhaps\n", "Reading gpg-verify of remote \"origin\""), ("gpg-verify-summary=2\n", "Reading gpg-verify-summary"),
        })
            Assert.Contains(reason, Refused(() => With(options, _ => { })));
    }

    [Fact]
    public void A_summary_is_verified_like_a_commit()
    {
        Variant ours = Signer.AddTo(null, Data);
        With($"gpg-verify=false\nsign-verify-summary=true\nverification-ed25519-key={Public}\n", signatures =>
        {
            Assert.True(signatures is { CoverCommits: false, CoverSummary: true });
            signatures.VerifySummary(Data, ours.Data.ToArray());
            Assert.Contains("no summary.sig found (use sign-verify-summary=false", Refused(() => signatures.VerifySummary(Data, null)));
            Assert.Contains("no summary found", Refused(() => signatures.VerifySummary(null, null)));
            Refused(() => signatures.VerifySummary([.. Data, 1], ours.Data.ToArray()));
            var random = new Random(11);
            for (int i = 0; i < 200; i++)
            {
                var bytes = new byte[random.Next(0, 200)];
                random.NextBytes(bytes);
                Refused(() => signatures.VerifySummary(Data, bytes));
            }
        });
        With("gpg-verify-summary=true\n", signatures =>
        {
            signatures.VerifySummary(Data, Gpg(home.Trusted).Data.ToArray());
            Assert.Contains("public key not found", Refused(() => signatures.VerifySummary(Data, Gpg(home.Stranger).Data.ToArray())));
        });
    }

    private Variant Gpg(string key) => Variant.Dictionary([KeyValuePair.Create(GpgVerifier.SignaturesKey, Variant.Array("ay", [Variant.Bytes(home.Sign(key, Data, "--detach-sign"))]))]);

    private static string Base64(string hex) => Convert.ToBase64String(Convert.FromHexString(hex));

    private static string Refused(Action action)
    {
        Exception? e = Assert.Throws<RepositoryException>(action);
        List<string> messages = [];
        for (; e is not null; e = e.InnerException)
            messages.Add(e.Message);
        return string.Join(": ", messages);
    }
}
