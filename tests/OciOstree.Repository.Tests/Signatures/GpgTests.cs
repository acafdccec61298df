using System.Text;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository.Tests.Signatures;

public sealed class GpgTests(GpgHome home) : IClassFixture<GpgHome>, IDisposable
{
    private static readonly byte[] Data = "what is signed"u8.ToArray();

    private readonly ScratchDirectory scratch = new("gpg");

    public void Dispose() => scratch.Dispose();

    private (Repo Repo, Remote Remote) New(string options = "")
    {
        Repo repo = TransactionTests.New(scratch, RepoMode.Archive, "repo", $"[remote \"origin\"]\nurl=http://127.0.0.1:1/\n{options}");
        return (repo, Remote.Find(repo, "origin"));
    }

    private static Variant Metadata(params byte[][] signatures) =>
        Variant.Dictionary([KeyValuePair.Create(GpgVerifier.SignaturesKey, Variant.Array("ay", signatures.Select(signature => Variant.Bytes(signature))))]);

    [Theory]
    [InlineData("packets")]
    [InlineData("armored")]
    [InlineData("keybox")]
    public void A_keyring_may_have_any_format(string format)
    {
        (Repo repo, Remote remote) = New();
        using (repo)
        {
            string ring = scratch["repo/origin.trustedkeys.gpg"];
            if (format == "packets")
                File.WriteAllBytes(ring, home.Export(home.Trusted));
            else if (format == "armored")
                File.WriteAllText(ring, home.ExportArmored(home.Trusted));
            else
            {
                scratch.MakeDirectory("other");
                Tool.Run("chmod", "0700", scratch["other"]).Ok();
                File.WriteAllBytes(scratch["keys"], home.Export(home.Trusted));
                Tool.Run("gpg", "--homedir", scratch["other"], "--no-autostart", "--import", scratch["keys"]).Ok();
                File.Copy(scratch["other/pubring.kbx"], ring);
            }
            byte[] good = home.Sign(home.Trusted, Data, "--detach-sign"), strange = home.Sign(home.Stranger, Data, "--detach-sign");
            GpgVerifier.Verify(repo, remote, Data, Metadata(good));
            GpgVerifier.Verify(repo, remote, Data, Metadata(strange, good));
            GpgVerifier.Verify(repo, remote, Data, Metadata(home.Sign(home.Trusted, Data, "--detach-sign", "--armor")));
            Assert.Contains("Can't check signature: public key not found", Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata(strange))));
            Assert.Contains("BAD signature from \"Trusted Person <trusted@example.org>\"", Refused(() => GpgVerifier.Verify(repo, remote, [.. Data, 0], Metadata(good))));
            Assert.Contains("no signatures found", Refused(() => GpgVerifier.Verify(repo, remote, Data, null)));
            Assert.Contains("No GPG signatures found", Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata())));
            Assert.Equal(home.Trusted, Assert.Single(GpgKeyring.OwnedBy(repo, remote).List()).Fingerprint);
        }
    }

    [Fact]
    public void A_signed_message_does_not_vouch_for_anything_else()
    {
        (Repo repo, Remote remote) = New();
        using (repo)
        {
            File.WriteAllBytes(scratch["repo/origin.trustedkeys.gpg"], home.Export(home.Trusted));
            byte[] mail = "a mail"u8.ToArray();
            byte[] message = home.Sign(home.Trusted, mail, "--sign", "--compress-algo", "none"), packed = home.Sign(home.Trusted, mail, "--sign"), clear = home.Sign(home.Trusted, mail, "--clearsign");
            byte[] good = home.Sign(home.Trusted, mail, "--detach-sign");
            foreach (byte[] bytes in (byte[][])[message, packed, [.. good, .. message], home.Export(home.Trusted)])
                Assert.Contains("not a detached signature", Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata(bytes))));
            foreach (byte[] bytes in (byte[][])[good, clear])
                Assert.Contains("BAD signature", Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata(bytes))));
        }
    }

    [Fact]
    public void Rubbish_is_refused_in_words()
    {
        (Repo repo, Remote remote) = New();
        using (repo)
        {
            File.WriteAllBytes(scratch["repo/origin.trustedkeys.gpg"], home.Export(home.Trusted));
            byte[] good = home.Sign(home.Trusted, Data, "--detach-sign");
            byte[][] rubbish =
            [
                [], [0x88], [0x89, 0xFF, 0xFF], [0x8A, 0xFF, 0xFF, 0xFF, 0xFF], [0xC2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0xC2, 0xE0, 1], [0x8B, 1], [.. good, 0], good[..^1],
                "-----BEGIN PGP SIGNATURE-----\n\n!!\n-----END PGP SIGNATURE-----\n"u8.ToArray(), "-----BEGIN PGP SIGNATURE-----"u8.ToArray(), new byte[100_000],
            ];
            foreach (byte[] bytes in rubbish)
                Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata(bytes)));
            // Signatures that are well-formed packets and nothing else.
            foreach (byte[] bytes in (byte[][])[[0x88, 0], [0x88, 3, 4, 0, 1], [0xC2, 5, 9, 9, 9, 9, 9]])
                Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata(bytes)));
            var random = new Random(3);
            for (int i = 0; i < 12; i++)
            {
                byte[] bytes = [.. good];
                for (int n = 0; n <= i; n++)
                    bytes[random.Next(3, bytes.Length)] ^= (byte)random.Next(1, 256);
                Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata(bytes)));
            }
            Assert.Contains("too many", Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata([.. Enumerable.Repeat(good, 5000)]))));
            // One that is good is found among many that are not.
            GpgVerifier.Verify(repo, remote, Data, Metadata([.. Enumerable.Repeat(home.Sign(home.Stranger, Data, "--detach-sign"), 20), good]));
            // A keyring of rubbish has no keys, and is none that keeps the system's keys out.
            File.WriteAllBytes(scratch["repo/origin.trustedkeys.gpg"], [0x99, 0xFF, 0xFF, 1, 2, 3]);
            Refused(() => GpgVerifier.Verify(repo, remote, Data, Metadata(good)));
        }
    }

    [Fact]
    public void What_gpgkeypath_names_must_be_there()
    {
        File.WriteAllText(scratch["one.asc"], home.ExportArmored(home.Trusted));
        File.WriteAllBytes(scratch["two.gpg"], home.Export(home.Stranger));
        scratch.Write("text", "no key");
        byte[] good = home.Sign(home.Trusted, Data, "--detach-sign"), strange = home.Sign(home.Stranger, Data, "--detach-sign");
        void Verify(string paths, byte[] signature)
        {
            (Repo repo, Remote remote) = New($"gpgkeypath={paths}\n");
            using (repo)
                GpgVerifier.Verify(repo, remote, Data, Metadata(signature));
            Directory.Delete(scratch["repo"], recursive: true);
        }
        Verify(scratch["one.asc"], good);
        Verify($"{scratch["two.gpg"]},{scratch["one.asc"]},", good);
        Verify($"{scratch["two.gpg"]};{scratch["one.asc"]}", strange);
        Verify(scratch.Path, good); // also what is no key in a directory is passed over
        foreach ((string paths, string reason) in new[]
        {
            ($"{scratch["one.asc"]},{scratch["two.gpg"]};{scratch["text"]}", "more than one separator"), (scratch["nope"], "nope): No such file or directory"),
            ($"{scratch["nope/"]},{scratch["one.asc"]}", "nope/): No such file"), (scratch["text"], "No OpenPGP keys in"), ("," + scratch["one.asc"], "(): No such file"),
        })
        {
            Assert.Contains(reason, Refused(() => Verify(paths, good)));
            Directory.Delete(scratch["repo"], recursive: true);
        }
    }

    [Fact]
    public void Keys_are_imported_whole_or_not_at_all()
    {
        (Repo repo, Remote remote) = New();
        using (repo)
        {
            string ring = scratch["repo/origin.trustedkeys.gpg"];
            byte[] armored = Encoding.ASCII.GetBytes(home.ExportArmored(home.Trusted)), both = home.Export();
            Assert.Equal("Unable to find key \"0123456789ABCDEF\"", Refused(() => GpgImport.Run(repo, "origin", [both], ["0123456789ABCDEF"]), 1));
            Assert.Equal("Unable to find key \"ABCD\"", Refused(() => GpgImport.Run(repo, "origin", [both], ["ABCD"]), 1));
            foreach (byte[] rubbish in (byte[][])[[], "rubbish"u8.ToArray(), [0x99, 0xFF, 0xFF], [0x89, 0, 0], new byte[50_000]])
                Refused(() => GpgImport.Run(repo, "origin", [rubbish], []));
            Refused(() => GpgImport.Run(repo, "origin", [], []));
            Assert.False(File.Exists(ring));
            Assert.Equal(1, GpgImport.Run(repo, "origin", [both], [home.Trusted[^16..]]));
            Assert.Equal(0, GpgImport.Run(repo, "origin", [armored], []));
            Assert.Equal(1, GpgImport.Run(repo, "origin", [armored, both], []));
            Assert.Equal([home.Trusted, home.Stranger], GpgKeyring.OwnedBy(repo, remote).List().Select(key => key.Fingerprint));
            byte[] before = File.ReadAllBytes(ring);
            Refused(() => GpgImport.Run(repo, "origin", ["rubbish"u8.ToArray()], []));
            Assert.Equal(before, File.ReadAllBytes(ring));
            // The real program reads what came out, and the reverse.
            Assert.Contains("UID: Trusted Person (of tests) <trusted@example.org>", Tool.Run("ostree", "remote", "gpg-list-keys", "--repo=" + scratch["repo"], "origin").Ok().Output);
            // A keybox as a source, and as what is there.
            File.Delete(ring);
            Assert.Equal(2, GpgImport.Run(repo, "origin", [File.ReadAllBytes(Path.Combine(home.Path, "pubring.kbx"))], []));
            File.Copy(Path.Combine(home.Path, "pubring.kbx"), ring, overwrite: true);
            Assert.Equal(0, GpgImport.Run(repo, "origin", [both], []));
            Assert.Equal(2, GpgKeyring.OwnedBy(repo, remote).List().Count);
        }
    }

    [Fact]
    public void A_commit_is_signed_once_by_each_key_and_can_lose_its_signatures()
    {
        (Repo repo, Remote remote) = New();
        using (repo)
        {
            File.WriteAllBytes(scratch["repo/origin.trustedkeys.gpg"], home.Export());
            scratch.Write("tree/file", "content");
            Checksum commit = OurCommit.Directory(repo, scratch["tree"]);
            Assert.Null(CommitSignatures.Inspect(repo, commit, GpgKeyring.Everybody(repo, null)));
            GpgSigner one = GpgSigner.Find(home.Trusted, home.Path), two = GpgSigner.Find("stranger@example.org", home.Path);
            CommitSignatures.Sign(repo, commit, [one, two]);
            Assert.Equal($"Commit is already signed with GPG key {home.Trusted}", Refused(() => CommitSignatures.Sign(repo, commit, [one])));
            IReadOnlyList<GpgSignature> found = CommitSignatures.Inspect(repo, commit, GpgKeyring.Everybody(repo, null))!;
            Assert.Equal([(true, home.Trusted), (true, home.Stranger)], found.Select(s => (s.IsValid, s.Fingerprint)));
            Assert.Equal(0, CommitSignatures.Delete(repo, commit, GpgKeyring.Everybody(repo, null), ["nobody@example.org"]));
            Assert.Equal(1, CommitSignatures.Delete(repo, commit, GpgKeyring.Everybody(repo, null), [home.Trusted, home.Trusted]));
            Assert.Equal(home.Stranger, Assert.Single(CommitSignatures.Inspect(repo, commit, GpgKeyring.Everybody(repo, null))!).Fingerprint);
            Assert.Equal(1, CommitSignatures.Delete(repo, commit, GpgKeyring.Everybody(repo, null), ["stranger@example.org"]));
            Assert.Null(CommitSignatures.Inspect(repo, commit, GpgKeyring.Everybody(repo, null)));
            Assert.Contains("No gpg key found with ID nobody@example.org", Refused(() => GpgSigner.Find("nobody@example.org", home.Path)));
            Assert.Contains("ambiguous", Refused(() => GpgSigner.Find("example.org", home.Path)));
            Assert.Contains("at least 8 characters", Refused(() => GpgSigner.Find("ABCD", home.Path)));
        }
    }

    [Fact]
    public void Signatures_are_told_of_as_the_real_program_tells_of_them()
    {
        (Repo repo, Remote remote) = New();
        using (repo)
        {
            scratch.Write("tree/file", "content");
            Checksum commit = OurCommit.Directory(repo, scratch["tree"]);
            byte[] bytes = repo.ReadMetadata(new ObjectName(commit, ObjectType.Commit)).ToArray();
            const string Then = "20200101T000000!";
            string expired = Made("Expired <expired@example.org>", "1d"), expiring = home.Generate("Expiring <expiring@example.org>", "rsa2048", "10y"), revoked = Made("Revoked <revoked@example.org>", "never");
            string withSubkey = Made("With Subkey", "never"), old = Made("Old <old@example.org>", "never");
            home.Gpg("--batch", "--passphrase", "", "--quick-add-key", withSubkey, "ed25519", "sign", "never");
            byte[][] signatures =
            [
                home.Sign(home.Trusted, bytes, "--detach-sign"), home.Sign(home.Stranger, bytes, "--detach-sign"), home.Sign(expiring, bytes, "--detach-sign"),
                home.Sign(expired, bytes, "--faked-system-time", Then, "--detach-sign"), home.Sign(revoked, bytes, "--detach-sign"), home.Sign(withSubkey, bytes, "--detach-sign"),
                home.Sign(expiring, bytes, "--default-sig-expire", "20y", "--detach-sign"),
            ];
            // Kept from being imported by accident: a colon before its first line.
            string certificate = File.ReadAllText(Path.Combine(home.Path, $"openpgp-revocs.d/{revoked}.rev")).Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal);
            home.Gpg("--import", scratch.Write("revocation", certificate));
            File.WriteAllBytes(scratch["repo/origin.trustedkeys.gpg"], home.Export(home.Trusted, expired, expiring, revoked, withSubkey, old));
            // The real program looks no further than to the first of these.
            string all = Same([.. signatures, home.Sign(home.Trusted, [.. bytes, 0], "--detach-sign")])
                + Same([.. signatures, home.Sign(old, bytes, "--faked-system-time", "20200102T000000!", "--default-sig-expire", "1d", "--detach-sign")]);
            foreach (string word in (string[])["Good signature from", "public key not found", "Key expires", "Key expired", "Key revoked", "Primary key ID", "Expired signature from", "BAD signature from", "Signature expires", "Signature expired"])
                Assert.Contains(word, all);

            string Same(byte[][] signatures)
            {
                using (RepoTransaction transaction = repo.BeginTransaction())
                {
                    transaction.WriteCommitMeta(commit, Metadata(signatures));
                    transaction.Commit();
                }
                string real = Tool.Run("ostree", "show", "--repo=" + scratch["repo"], commit.ToString()).Ok().Output;
                Assert.Equal(real, Tool.Run("ostree", "show", "--repo=" + scratch["repo"], "--gpg-verify-remote=origin", commit.ToString()).Ok().Output);
                var ours = new StringBuilder($"Found {signatures.Length} signatures:\n");
                foreach (GpgSignature signature in CommitSignatures.Inspect(repo, commit, GpgKeyring.Everybody(repo, null))!)
                {
                    ours.Append('\n');
                    signature.Describe(ours, "  ");
                }
                Assert.Equal(real[real.IndexOf("Found", StringComparison.Ordinal)..], ours.ToString());
                return real;
            }

            string Made(string user, string expires)
            {
                home.Gpg("--faked-system-time", Then, "--batch", "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", expires);
                return home.Gpg("--with-colons", "--list-keys", user).OutputLines.First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9];
            }
        }
    }

    [Fact]
    public void Control_characters_in_names_do_not_reach_the_terminal()
    {
        var text = new StringBuilder();
        new GpgSignature { IsValid = true, Fingerprint = "A", PrimaryFingerprint = "A", UserName = "x\u001B[2Jy\nz", UserEmail = "\u009B31m" }.Describe(text, "  ");
        Assert.StartsWith("  Signature made", text.ToString());
        Assert.EndsWith("  Good signature from \"x?[2Jy?z <?31m>\"\n", text.ToString());
        Assert.Equal(2, text.ToString().Count(c => c == '\n'));
    }

    [Fact]
    public void A_directory_of_keys_is_named_as_its_draft_says()
    {
        // draft-koch-openpgp-webkey-service, 3.1
        var user = new GpgUserId("Joe Doe <Joe.Doe@Example.ORG>", "Joe Doe", "", "Joe.Doe@Example.ORG", false, false);
        Assert.Equal("https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=joe.doe", user.AdvancedUpdateUrl);
        Assert.Equal("https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=joe.doe", user.DirectUpdateUrl);
        Assert.Null(new GpgUserId("Nobody", "Nobody", "", "", false, false).AdvancedUpdateUrl);
        Assert.Null(new GpgUserId("x", "x", "", "a@b@c", false, false).DirectUpdateUrl);
    }

    private static string Refused(Action action, int depth = 0)
    {
        Exception e = Assert.Throws<RepositoryException>(action);
        for (; depth > 0; depth--)
            e = e.InnerException!;
        return e.Message;
    }
}
