namespace OciOstree.Testing;

/// <summary>A home of gpg with two secret keys, <c>trusted</c> and <c>stranger</c>, and its agent stopped at the end.</summary>
public sealed class GpgHome : IDisposable
{
    // A socket's path must be short; the directory is ours alone, as gpg wants it.
    private readonly string path = Directory.CreateTempSubdirectory("gpg-").FullName;

    public GpgHome()
    {
        Trusted = Generate("Trusted Person (of tests) <trusted@example.org>");
        Stranger = Generate("stranger@example.org");
    }

    public string Path => path;

    /// <summary>The fingerprint of the key that tests trust.</summary>
    public string Trusted { get; }

    /// <summary>The fingerprint of the other one.</summary>
    public string Stranger { get; }

    /// <summary>Makes a key and gives its fingerprint.</summary>
    public string Generate(string user, string algorithm = "ed25519", string expires = "never")
    {
        Gpg("--batch", "--passphrase", "", "--quick-gen-key", user, algorithm, "sign", expires);
        return Gpg("--with-colons", "--list-keys", user[(user.IndexOf('<') + 1)..].TrimEnd('>')).OutputLines.First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9];
    }

    /// <summary>The public keys as packets.</summary>
    public byte[] Export(params string[] keys)
    {
        string file = System.IO.Path.Combine(path, "exported");
        Gpg(["--yes", "--output", file, "--export", .. keys]);
        return File.ReadAllBytes(file);
    }

    /// <summary>The public keys in ASCII armor.</summary>
    public string ExportArmored(params string[] keys) => Gpg(["--armor", "--export", .. keys]).Output;

    /// <summary>What gpg makes of data: <c>--detach-sign</c>, <c>--sign</c>, <c>--clearsign</c> …</summary>
    public byte[] Sign(string key, byte[] data, params string[] how)
    {
        string input = System.IO.Path.Combine(path, "input"), output = System.IO.Path.Combine(path, "output");
        File.WriteAllBytes(input, data);
        Gpg(["--yes", "--local-user", key, "--output", output, .. how, input]);
        return File.ReadAllBytes(output);
    }

    public ToolResult Gpg(params string[] arguments) => Tool.Run("gpg", ["--homedir", path, .. arguments]).Ok();

    public void Dispose()
    {
        Tool.Run("gpgconf", "--homedir", path, "--kill", "all");
        Directory.Delete(path, recursive: true);
    }
}
