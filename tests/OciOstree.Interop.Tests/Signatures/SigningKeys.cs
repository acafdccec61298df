using System.Security.Cryptography;

namespace OciOstree.Interop.Tests;

/// <summary>Keys as cosign has them, with their public halves in files, and what openssl signs with them.</summary>
internal sealed class SigningKeys
{
    private readonly ScratchDirectory scratch;

    public SigningKeys(ScratchDirectory scratch)
    {
        this.scratch = scratch;
        foreach ((string name, string options) in ((string, string)[])[
            ("trusted", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"), ("stranger", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
            ("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"), ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"), ("ed25519", "-algorithm ed25519")])
        {
            Tool.Run("openssl", ["genpkey", .. options.Split(' '), "-out", scratch[name + ".key"]]).Ok();
            Tool.Run("openssl", "pkey", "-in", scratch[name + ".key"], "-pubout", "-out", scratch[name + ".pub"]).Ok();
        }
    }

    /// <summary>The file with a public key.</summary>
    public string Public(string name) => scratch[name + ".pub"];

    /// <summary>A payload with the annotation that vouches for it.</summary>
    public (string Payload, Dictionary<string, string> Annotations) Sign(string name, string payload) =>
        (payload, new() { ["dev.cosignproject.cosign/signature"] = Convert.ToBase64String(Signature(name, payload)) });

    private byte[] Signature(string name, string payload)
    {
        string file = scratch.Write($"payload-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}", payload);
        return name == "ed25519"
            ? Tool.Run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", scratch[name + ".key"], "-in", file).Ok().OutputBytes
            : Tool.Run("openssl", "dgst", "-sha256", "-sign", scratch[name + ".key"], file).Ok().OutputBytes;
    }
}
