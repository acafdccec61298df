using System.Text;

namespace OciOstree.Repository.Tests.Signatures;

public sealed class GpgMessageTests(GpgHome home) : IClassFixture<GpgHome>
{
    private static readonly byte[] Text = "what is signed"u8.ToArray();

    private byte[] Keys => home.Export(home.Trusted);

    private string Refusal(byte[] message, params byte[][] keys)
    {
        var text = new StringBuilder();
        for (Exception? e = Assert.Throws<RepositoryException>(() => GpgMessage.Verify(keys.Length > 0 ? keys : [Keys], message)); e is not null; e = e.InnerException)
            text.Append(e.Message).Append(": ");
        return text.ToString();
    }

    [Fact]
    public void What_was_signed_comes_out_with_who_signed_it()
    {
        GpgMessage message = GpgMessage.Verify([Keys], home.Sign(home.Trusted, Text, "--sign"));
        Assert.Equal(Text, message.Content);
        Assert.Equal(home.Trusted, message.Signature.Fingerprint);
        var described = new StringBuilder();
        message.Signature.Describe(described, "");
        Assert.Contains("Good signature from \"Trusted Person", described.ToString());
    }

    [Fact]
    public void Keys_come_in_several_files_and_forms()
    {
        byte[] message = home.Sign(home.Trusted, Text, "--sign"), stranger = home.Export(home.Stranger);
        byte[] armored = Encoding.UTF8.GetBytes("This is the key\nof somebody.\n\n" + home.ExportArmored(home.Stranger) + "\nAnd of another\n" + home.ExportArmored(home.Trusted));
        Assert.Equal(Text, GpgMessage.Verify([stranger, Keys], message).Content);
        Assert.Equal(Text, GpgMessage.Verify([armored], message).Content);
        Assert.Contains($"signed by key {home.Trusted}, which is not accepted", Refusal(message, stranger));
        Assert.Contains("no OpenPGP keys", Refusal(message, Keys, "x"u8.ToArray()));
        Assert.Contains("no OpenPGP keys", Refusal(message, [[]]));
        Assert.Throws<RepositoryException>(() => GpgMessage.Verify([], message));
    }

    [Fact]
    public void A_subkey_signs_for_its_key()
    {
        string key = home.Generate("subkeys@example.org");
        home.Gpg("--batch", "--passphrase", "", "--quick-add-key", key, "ed25519", "sign", "never");
        GpgMessage message = GpgMessage.Verify([home.Export(key)], home.Sign(key, Text, "--sign"));
        Assert.NotEqual(key, message.Signature.Fingerprint);
        Assert.Equal(key, message.Signature.PrimaryFingerprint);
    }

    [Fact]
    public void A_key_that_was_revoked_signs_for_nobody()
    {
        string key = home.Generate("revoked@example.org");
        byte[] message = home.Sign(key, Text, "--sign");
        Tool.Shell($"sed 's/^:---/---/' '{home.Path}/openpgp-revocs.d/{key}.rev' | gpg --homedir '{home.Path}' --batch --import").Ok();
        Assert.Contains("which was revoked", Refusal(message, home.Export(key)));
    }

    [Fact]
    public void Only_one_text_with_one_signature_will_do()
    {
        byte[] signed = home.Sign(home.Trusted, Text, "--sign", "--compress-algo", "none"), unsigned = home.Sign(home.Trusted, "nobody signed this"u8.ToArray(), "--store", "--compress-algo", "none");
        Refusal([.. unsigned, .. signed]);
        Refusal([.. signed, .. unsigned]);
        Refusal(unsigned);
        Refusal(home.Sign(home.Trusted, Text, "--detach-sign"));
        Refusal(home.Sign(home.Trusted, Text, "--sign", "--armor"));
        Refusal(home.Sign(home.Trusted, Text, "--clearsign"));
        Refusal([]);
        Assert.Contains("2 signatures where one is wanted", Refusal(home.Sign(home.Trusted, Text, "--sign", "--local-user", home.Stranger)));
        int at = signed.AsSpan().IndexOf(Text);
        signed[at] ^= 1;
        Assert.Contains("a bad signature", Refusal(signed));
    }

    [Fact]
    public void Cut_off_it_is_none()
    {
        byte[] signed = home.Sign(home.Trusted, Text, "--sign");
        for (int length = 1; length < signed.Length; length += 9)
            Refusal(signed[..length]);
    }

    [Fact]
    public void A_bomb_does_not_go_off()
    {
        byte[] signed = home.Sign(home.Trusted, new byte[70 << 20], "--sign", "--compress-algo", "zlib");
        Assert.InRange(signed.Length, 1, 1 << 20);
        Assert.Contains("gpgv printed more than 64 MiB", Refusal(signed));
    }
}
