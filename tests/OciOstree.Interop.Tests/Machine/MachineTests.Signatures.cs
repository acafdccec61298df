namespace OciOstree.Interop.Tests.Machine;

public sealed partial class MachineTests
{
    [Fact]
    public void A_machine_takes_only_what_its_policy_finds_signed()
    {
        using SignedRegistry registry = new(scratch);
        SigningKeys keys = new(scratch);
        string host = registry.Host, image = $"docker://{host}/you/os:stable", follows = "ostree-image-signed:" + image;
        scratch.Write("home/.config/containers/registries.d/you.yaml", $"docker:\n  {host}/you:\n    use-sigstore-attachments: true\n");
        string policy = scratch.Write("policy.json", """{"default":[{"type":"reject"}],"transports":{"docker":{"HOST/you":[{"type":"sigstoreSigned","keyPath":"KEY","signedIdentity":{"type":"matchRepository"}}]}}}"""
            .Replace("HOST", host).Replace("KEY", keys.Public("trusted")));
        MakeSysroot();
        Push("1");
        Refused("there is no signature (looked at file:///var/lib/containers/sigstore and for attachments in", "deploy", "--stateroot", "os", "--imgref", follows, "--karg=root=LABEL=root");
        Assert.Empty(Tool.Run("ostree", "refs", "--repo=" + Sysroot + "/ostree/repo").Ok().Output);
        Sign("stranger");
        Refused("it is not signed by an accepted key", "deploy", "--stateroot", "os", "--imgref", follows, "--karg=root=LABEL=root");
        Refused("rejects docker://", "deploy", "--stateroot", "os", "--imgref", $"ostree-unverified-registry:{host}/other/os:stable", "--karg=root=LABEL=root");
        Assert.Empty(Directory.EnumerateFiles(Sysroot + "/ostree/repo/objects", "*.*", SearchOption.AllDirectories));
        string digest = Sign("trusted");
        string vouched = $"Image {digest} is signed as {policy} wants it:\nSignature for {host}/you/os: good, by {keys.Public("trusted")}\n";
        Assert.Contains(vouched, Run("deploy", "--stateroot", "os", "--imgref", follows, "--karg=root=LABEL=root").Ok().Output);
        Assert.Equal(["1"], Versions());

        Push("2");
        string[] before = State();
        foreach (string[] words in (string[][])[["upgrade", "--check"], ["upgrade"], ["upgrade", "--download-only"], ["rebase", follows], ["rebase", "ostree-unverified-image:" + image]])
            Refused("there is no signature", words);
        Assert.Equal(before, State());
        digest = Sign("trusted");
        Assert.Contains("ersion 2", Run("upgrade", "--check").Ok().Output);
        Assert.Contains($"Image {digest} is signed", Run("upgrade").Ok().Output);
        Assert.Equal(["2", "1"], Versions());

        // What is here is asked for again, be it by its digest: it may have come in when nobody asked who vouches for it.
        File.WriteAllText(policy, File.ReadAllText(policy).Replace(keys.Public("trusted"), keys.Public("stranger")));
        Refused("it is not signed by an accepted key", "container", "image", "pull", Sysroot + "/ostree/repo", $"ostree-image-signed:docker://{host}/you/os@{digest}");
        Refused("it is not signed by an accepted key", "upgrade");

        void Push(string version)
        {
            Commit(version, kernel: true);
            OurProgram.Run("container", "encapsulate", "--repo", scratch["repo"], "os/" + version, image, "--quiet").Ok();
        }

        string Sign(string key)
        {
            byte[] manifest = Tool.Run("skopeo", "inspect", "--raw", "--tls-verify=false", image).Ok().OutputBytes;
            registry.Attach("you/os", manifest, keys.Sign(key, SignedRegistry.Payload(SignedRegistry.DigestOf(manifest), $"{host}/you/os")));
            return SignedRegistry.DigestOf(manifest);
        }

        ToolResult Run(params string[] arguments) => Tool.Run(
            new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["CONTAINERS_POLICY_JSON"] = policy, ["HOME"] = scratch["home"], ["XDG_CONFIG_HOME"] = null } },
            arguments[0] == "container" ? arguments : [.. arguments, "--sysroot", Sysroot]);

        void Refused(string why, params string[] arguments)
        {
            string error = Run(arguments).Failed().Error;
            Assert.Contains(why, error);
            Assert.Matches("^error: [^\n]*\n$", error);
        }
    }
}
