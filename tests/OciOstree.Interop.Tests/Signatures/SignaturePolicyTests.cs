using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace OciOstree.Interop.Tests;

/// <summary>The same policy, image and signatures, judged by skopeo and by this program.</summary>
public sealed class SignaturePolicyTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();
    private readonly List<PolicyCase> cases = [];
    private readonly SignedRegistry registry;
    private readonly SigningKeys keys;

    public SignaturePolicyTests()
    {
        registry = new SignedRegistry(scratch);
        keys = new SigningKeys(scratch);
        Tool.Run("ostree", "init", "--repo", scratch["repo"], "--mode=bare-user").Ok();
    }

    private static readonly Regex isNew = new("Unknown key \\\\?\"(keyPaths|keyDatas|fulcio|rekorPublicKey[A-Za-z]*)");

    private sealed record PolicyCase(string Name, string Policy, string Image, bool IsAccepted, string Why, string Registries = "on");

    public void Dispose()
    {
        registry.Dispose();
        scratch.Dispose();
    }

    [Fact]
    public void Sigstore_signatures_are_judged_as_skopeo_judges_them()
    {
        string host = registry.Host;
        Registries("on", $"docker:\n  {host}:\n    use-sigstore-attachments: true\n");
        Registries("off", $"docker:\n  {host}/cosign/exact:\n    use-sigstore-attachments: true\n  {host}/cosign/exact:1:\n    use-sigstore-attachments: false\n");
        Registries("default", "default-docker:\n  use-sigstore-attachments: yes # everywhere\ndocker: {}\n");
        Registries("broken", "docker:\n  a: [1\n");
        Registries("twice", $"docker:\n  {host}:\n    use-sigstore-attachments: true\n");
        File.Copy(scratch["registries-twice/.config/containers/registries.d/a.yaml"], scratch["registries-twice/.config/containers/registries.d/b.yaml"]);
        Registries("none", "");

        string exact = Signed("cosign/exact", $"{host}/cosign/exact:1");
        string other = SignedRegistry.DigestOf(registry.PushImage("cosign/unsigned", "1", "other"));
        Signed("cosign/repository", $"{host}/cosign/repository");
        Signed("cosign/stranger", $"{host}/cosign/stranger:1", "stranger");
        Signed("cosign/othername", $"{host}/cosign/exact:1");
        Signed("cosign/p384", $"{host}/cosign/p384:1", "p384");
        Signed("cosign/rsa", $"{host}/cosign/rsa:1", "rsa");
        Signed("cosign/ed25519", $"{host}/cosign/ed25519:1", "ed25519");
        Signed("cosign/vendor", "vendor.example/cosign/vendor:1");
        Signed("cosign/short", "cosign/short:1");
        Custom("cosign/otherimage", digest => keys.Sign("trusted", SignedRegistry.Payload(other, $"{host}/cosign/otherimage:1")));
        Custom("cosign/options", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/options:1", """{"creator":"x","timestamp":1700000000,"mine":{"a":[1,null]}}""")));
        Custom("cosign/fraction", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/fraction:1", """{"timestamp":1.5}""")));
        Custom("cosign/twice", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/twice:1").Replace("\"type\":", "\"type\":\"cosign container image signature\",\"type\":")));
        Custom("cosign/more", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/more:1").Replace("\"type\":", "\"more\":1,\"type\":")));
        Custom("cosign/kind", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/kind:1", type: "atomic container signature")));
        Custom("cosign/cut", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/cut:1")[..^1]));
        Custom("cosign/trailing", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/trailing:1") + "{}"));
        Custom("cosign/nul", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/nul:1\\u0000")));
        Custom("cosign/rawnul", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/rawnul:1\0")));
        Custom("cosign/changed", digest => keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/changed:2")) with { Payload = SignedRegistry.Payload(digest, $"{host}/cosign/changed:1") });
        Custom("cosign/unannotated", digest => (SignedRegistry.Payload(digest, $"{host}/cosign/unannotated:1"), []));
        Custom("cosign/nobase64", digest => (SignedRegistry.Payload(digest, $"{host}/cosign/nobase64:1"), new() { ["dev.cosignproject.cosign/signature"] = "!!" }));
        Custom("cosign/recorded", digest => Record(keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/recorded:1"))));
        Custom("cosign/otherrecord", digest =>
        {
            (string document, Dictionary<string, string> annotations) = keys.Sign("trusted", SignedRegistry.Payload(digest, $"{host}/cosign/otherrecord:1"));
            return (document, new() { ["dev.cosignproject.cosign/signature"] = annotations["dev.cosignproject.cosign/signature"], ["dev.sigstore.cosign/bundle"] = Record(keys.Sign("trusted", document)).Annotations["dev.sigstore.cosign/bundle"] });
        });
        byte[] many = registry.PushImage("cosign/many", "1", "many");
        string payload = SignedRegistry.Payload(SignedRegistry.DigestOf(many), $"{host}/cosign/many:1");
        registry.Attach("cosign/many", many, keys.Sign("stranger", payload), ("garbage", []), keys.Sign("trusted", payload));
        registry.Attach("cosign/empty", registry.PushImage("cosign/empty", "1", "empty"));
        (byte[] index, byte[] instance) = registry.PushIndex("cosign/index", "1");
        registry.Attach("cosign/index", instance, keys.Sign("trusted", SignedRegistry.Payload(SignedRegistry.DigestOf(instance), $"{host}/cosign/index:1")));

        string key = Sigstore("trusted"), strange = Sigstore("stranger");
        string keyData = $$"""{"type":"sigstoreSigned","keyData":"{{Convert.ToBase64String(File.ReadAllBytes(keys.Public("trusted")))}}"}""";

        // Names.
        Case("by tag", key, "cosign/exact:1", true);
        Case("by digest", key, $"cosign/exact@{exact}", true);
        Case("exactly by tag", Sigstore("trusted", """{"type":"matchExact"}"""), "cosign/exact:1", true);
        Case("exactly by digest", Sigstore("trusted", """{"type":"matchExact"}"""), $"cosign/exact@{exact}", false, "does not accept");
        Case("no tag signed, default", key, "cosign/repository:1", false, "does not accept");
        Case("no tag signed, repository", Sigstore("trusted", """{"type":"matchRepository"}"""), "cosign/repository:1", true);
        Case("other name", key, "cosign/othername:1", false, "does not accept");
        Case("other name, repository", Sigstore("trusted", """{"type":"matchRepository"}"""), "cosign/othername:1", false, "does not accept");
        Case("other name, expected", Sigstore("trusted", $$"""{"type":"exactReference","dockerReference":"{{host}}/cosign/exact:1"}"""), "cosign/othername:1", true);
        Case("other tag expected", Sigstore("trusted", $$"""{"type":"exactReference","dockerReference":"{{host}}/cosign/exact:2"}"""), "cosign/othername:1", false, "does not accept");
        Case("other repository expected", Sigstore("trusted", $$"""{"type":"exactRepository","dockerRepository":"{{host}}/cosign/exact"}"""), "cosign/othername:1", true);
        Case("mapped", Sigstore("trusted", $$"""{"type":"remapIdentity","prefix":"{{host}}","signedPrefix":"vendor.example"}"""), "cosign/vendor:1", true);
        Case("mapped in part", Sigstore("trusted", $$"""{"type":"remapIdentity","prefix":"{{host}}/cos","signedPrefix":"vendor.example/cos"}"""), "cosign/vendor:1", false, "does not accept");
        Case("mapped, another host", Sigstore("trusted", """{"type":"remapIdentity","prefix":"127.0.0.1:1","signedPrefix":"vendor.example"}"""), "cosign/vendor:1", false, "does not accept");
        Case("short name", Sigstore("trusted", """{"type":"exactReference","dockerReference":"docker.io/cosign/short:1"}"""), "cosign/short:1", true);

        // Keys and signatures.
        Case("key in policy", keyData, "cosign/exact:1", true);
        Case("stranger's", key, "cosign/stranger:1", false, "not signed by an accepted key");
        Case("stranger's, trusted", strange, "cosign/stranger:1", true);
        Case("P-384", Sigstore("p384"), "cosign/p384:1", true);
        Case("RSA", Sigstore("rsa"), "cosign/rsa:1", true);
        Case("Ed25519", Sigstore("ed25519"), "cosign/ed25519:1", true);
        Case("key of another kind", Sigstore("rsa"), "cosign/exact:1", false, "not signed by an accepted key");
        Case("no such key", Sigstore("nobody"), "cosign/exact:1", false, "its key cannot be read");
        Case("a secret key", """{"type":"sigstoreSigned","keyPath":"KEYS/trusted.key"}""", "cosign/exact:1", false, "is no key");
        Case("unsigned", key, "cosign/unsigned:1", false, "there is no signature (");
        Case("an empty list", key, "cosign/empty:1", false, "there is no signature (");
        Case("another image's", key, "cosign/otherimage:1", false, "it is a signature of sha256:");
        Case("with annotations", key, "cosign/options:1", true);
        Case("with half a second", key, "cosign/fraction:1", false, "no integer");
        Case("a member twice", key, "cosign/twice:1", false, "'type' twice");
        Case("a member more", key, "cosign/more:1", false, "unknown member 'more'");
        Case("of another kind", key, "cosign/kind:1", false, "its type is 'atomic container signature'");
        Case("cut off", key, "cosign/cut:1", false, "no JSON");
        Case("something behind", key, "cosign/trailing:1", false, "no JSON");
        Case("a NUL in the name", key, "cosign/nul:1", false, "does not accept");
        Case("a NUL in the document", key, "cosign/rawnul:1", false, "no JSON");
        Case("changed", key, "cosign/changed:1", false, "not signed by an accepted key");
        Case("no annotation", key, "cosign/unannotated:1", false, "annotation");
        Case("no base64", key, "cosign/nobase64:1", false, "annotation");
        Case("the third of three", key, "cosign/many:1", true);
        Case("an instance of an index", key, "cosign/index:1", true);

        // Newer members, which older releases of skopeo do not know.
        Case("keys", $$"""{"type":"sigstoreSigned","keyPaths":["{{keys.Public("stranger")}}","{{keys.Public("trusted")}}"]}""", "cosign/exact:1", true);
        Case("keys in policy", $$"""{"type":"sigstoreSigned","keyDatas":["{{Data("stranger")}}","{{Data("trusted")}}"]}""", "cosign/exact:1", true);
        Case("recorded in a log", Recorded("stranger"), "cosign/recorded:1", true);
        Case("recorded in another log", Recorded("p384"), "cosign/recorded:1", false, "not by an accepted log");
        Case("not recorded", Recorded("stranger"), "cosign/exact:1", false, "a record in a Rekor log is wanted");
        Case("another signature recorded", Recorded("stranger"), "cosign/otherrecord:1", false, "of another signature");
        Case("by a certificate", """{"type":"sigstoreSigned","fulcio":{"caPath":"/c","oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyPath":"/r"}""", "cosign/recorded:1", false, "certificates of Fulcio");

        // Several requirements, and scopes.
        Case("two keys of three", $"{key},{strange}", "cosign/many:1", true);
        Case("one key of two", $"{key},{strange}", "cosign/exact:1", false, "not signed by an accepted key");
        Case("and anything", $$"""{"type":"insecureAcceptAnything"},{{key}}""", "cosign/stranger:1", false, "not signed by an accepted key");
        Case("and nothing", $$"""{{key}},{"type":"reject"}""", "cosign/exact:1", false, "rejects");
        Scopes("the image before its repository", $$""" "{{host}}/cosign/exact:1":[{{key}}],"{{host}}/cosign/exact":[{"type":"reject"}]""", "cosign/exact:1", true);
        Scopes("the repository before its host", $$""" "{{host}}/cosign/exact":[{"type":"reject"}],"{{host}}":[{{key}}]""", "cosign/exact:1", false, "rejects");
        Scopes("a namespace before the host", $$""" "{{host}}/cosign":[{{strange}}],"{{host}}":[{"type":"insecureAcceptAnything"}]""", "cosign/exact:1", false, "not signed by an accepted key");
        Scopes("part of a name", $$""" "{{host}}/cosign/ex":[{"type":"reject"}],"":[{{key}}]""", "cosign/exact:1", true);
        Scopes("a domain, without the port", $$""" "*.0.0.1":[{{key}}],"":[{"type":"reject"}]""", "cosign/exact:1", true);
        Scopes("the host without its port", $$""" "127.0.0.1":[{{key}}],"":[{"type":"reject"}]""", "cosign/exact:1", false, "rejects");
        Scopes("the digest", $$""" "{{host}}/cosign/exact@{{exact}}":[{{key}}],"":[{"type":"reject"}]""", $"cosign/exact@{exact}", true);

        // Where signatures are looked for.
        Case("attachments not looked for", key, "cosign/exact:1", false, "has no use-sigstore-attachments for it", "none");
        Case("attachments off for the image", key, "cosign/exact:1", false, "has no use-sigstore-attachments for it", "off");
        Case("attachments on by default", key, "cosign/exact:1", true, "", "default");
        Case("registries.d that is none", key, "cosign/exact:1", false, "a.yaml", "broken");
        Case("registries.d that contradicts itself", key, "cosign/exact:1", false, "another file has", "twice");

        // Policies that are none.
        Case("an unknown type", """{"type":"signed"}""", "cosign/exact:1", false, "unknown type 'signed'");
        Case("an unknown member", key.Replace("\"type\"", "\"comment\":1,\"type\""), "cosign/exact:1", false, "unknown member 'comment'");
        Case("a member of the policy twice", key.Replace("\"type\"", "\"keyPath\":\"/x\",\"type\""), "cosign/exact:1", false, "'keyPath' twice");
        Case("two keys", key.Replace("\"type\"", "\"keyData\":\"AAAA\",\"type\""), "cosign/exact:1", false, "exactly one of");
        Case("no key", """{"type":"sigstoreSigned"}""", "cosign/exact:1", false, "exactly one of");
        Case("an unknown identity", Sigstore("trusted", """{"type":"matchAll"}"""), "cosign/exact:1", false, "unknown type 'matchAll'");
        Case("a reference without a tag", Sigstore("trusted", """{"type":"exactReference","dockerReference":"a.example/b"}"""), "cosign/exact:1", false, "neither tag nor digest");
        Case("a prefix with a tag", Sigstore("trusted", """{"type":"remapIdentity","prefix":"a.example/b:1","signedPrefix":"b.example"}"""), "cosign/exact:1", false, "invalid prefix");
        Case("a transport twice", "", "cosign/exact:1", false, "twice");
        cases[^1] = cases[^1] with { Policy = "{\"default\":[" + key + "],\"transports\":{\"docker\":{},\"docker\":{}}}" };
        Judge();
    }

    [Fact]
    public void OpenPgp_signatures_are_judged_as_skopeo_judges_them()
    {
        using GpgHome gpg = new();
        using RepoServer web = new(scratch.MakeDirectory("web"));
        string host = registry.Host, keyring = scratch["trusted.gpg"], both = scratch["both.asc"];
        File.WriteAllBytes(keyring, gpg.Export(gpg.Trusted));
        File.WriteAllText(both, "Keys of ours:\n\n" + gpg.ExportArmored(gpg.Stranger) + gpg.ExportArmored(gpg.Trusted));
        File.WriteAllBytes(scratch["stranger.gpg"], gpg.Export(gpg.Stranger));
        gpg.Gpg("--faked-system-time", "20200101T000000", "--batch", "--passphrase", "", "--quick-gen-key", "old@example.org", "ed25519", "sign", "1d");
        Registries("file", $"docker:\n  {host}:\n    lookaside: file://{scratch["sigs"]}\n");
        Registries("http", $"default-docker:\n  lookaside: file:///nowhere\ndocker:\n  {host}/gpg: {{ sigstore: {web.Url}sigs }}\n");
        Registries("mixed", $"docker:\n  \"{host}/gpg/exact\":\n    lookaside-staging: file:///nowhere\n  '{host}/gpg':\n    lookaside: file://{scratch["sigs"]}\n  {host}:\n    lookaside: file:///nowhere\n");
        Registries("ftp", $"docker:\n  {host}:\n    lookaside: ftp://127.0.0.1/sigs\n");

        string exact = Signed("gpg/exact", (digest, name) => [Sign(gpg.Trusted, digest, name)]);
        File.WriteAllBytes(scratch["standalone.json"], registry.PushImage("gpg/standalone", "1", "standalone"));
        Tool.Run(new ToolStart("skopeo") { Environment = new Dictionary<string, string?> { ["GNUPGHOME"] = gpg.Path } },
            "standalone-sign", scratch["standalone.json"], $"{host}/gpg/standalone:1", gpg.Trusted, "-o", scratch["standalone.sig"]).Ok();
        Place("gpg/standalone", SignedRegistry.DigestOf(File.ReadAllBytes(scratch["standalone.json"])), [File.ReadAllBytes(scratch["standalone.sig"])]);
        Signed("gpg/stranger", (digest, name) => [Sign(gpg.Stranger, digest, name)]);
        Signed("gpg/second", (digest, name) => [Sign(gpg.Stranger, digest, name), Sign(gpg.Trusted, digest, name)]);
        Signed("gpg/gap", (digest, name) => [Sign(gpg.Stranger, digest, name), [], Sign(gpg.Trusted, digest, name)]);
        Signed("gpg/othername", (digest, name) => [Sign(gpg.Trusted, digest, $"{host}/gpg/exact:1")]);
        Signed("gpg/otherimage", (digest, name) => [Sign(gpg.Trusted, exact, name)]);
        Signed("gpg/nulloption", (digest, name) => [gpg.Sign(gpg.Trusted, Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, type: "atomic container signature")), "--sign")]);
        Signed("gpg/cosigntype", (digest, name) => [gpg.Sign(gpg.Trusted, Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, "{}")), "--sign")]);
        Signed("gpg/plain", (digest, name) => [Plain(digest, name)]);
        Signed("gpg/detached", (digest, name) => [gpg.Sign(gpg.Trusted, Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, "{}", "atomic container signature")), "--detach-sign")]);
        Signed("gpg/armored", (digest, name) => [gpg.Sign(gpg.Trusted, Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, "{}", "atomic container signature")), "--sign", "--armor")]);
        Signed("gpg/both", (digest, name) => [gpg.Sign(gpg.Trusted, Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, "{}", "atomic container signature")), "--sign", "--local-user", gpg.Stranger)]);
        Signed("gpg/changed", (digest, name) => [Changed(Plain(digest, name))]);
        Signed("gpg/two", (digest, name) => [[.. Plain(digest, name), .. Plain(digest, name)]]);
        Signed("gpg/behind", (digest, name) => [[.. Sign(gpg.Trusted, digest, name), .. Sign(gpg.Stranger, digest, name)]]);
        Signed("gpg/garbage", (digest, name) => ["garbage"u8.ToArray(), Sign(gpg.Trusted, digest, name)]);
        Signed("gpg/unsigned", (digest, name) => []);
        Signed("gpg/marked", (digest, name) => [[.. "\0simple-signing\n"u8, .. Sign(gpg.Trusted, digest, name)]]);
        Signed("gpg/unknownformat", (digest, name) => [[.. "\0sign\n"u8, .. Sign(gpg.Trusted, digest, name)]]);

        // Directories.
        Tool.Run("skopeo", "copy", "--src-tls-verify=false", $"docker://{host}/gpg/exact:1", $"dir:{scratch["dir"]}").Ok();
        File.Copy(scratch[$"sigs/gpg/exact@{exact.Replace(':', '=')}/signature-1"], scratch["dir/signature-1"], overwrite: true);
        Directory.CreateSymbolicLink(scratch["link"], scratch["dir"]);

        string key = GpgKeys($"\"keyPath\":\"{keyring}\"");
        Case("by tag", key, "gpg/exact:1", true, "", "file");
        Case("by digest", key, $"gpg/exact@{exact}", true, "", "file");
        Case("signed by skopeo", key, "gpg/standalone:1", true, "", "file");
        Case("over HTTP", key, "gpg/exact:1", true, "", "http");
        Case("missing over HTTP", key, "gpg/unsigned:1", false, "there is no signature (looked at http://127.0.0.1", "http");
        Case("settings from several scopes", key, "gpg/exact:1", true, "", "mixed");
        Case("a place that cannot be read", key, "gpg/exact:1", false, "only file, http and https", "ftp");
        Case("key in policy", GpgKeys($"\"keyData\":\"{Convert.ToBase64String(File.ReadAllBytes(keyring))}\""), "gpg/exact:1", true, "", "file");
        Case("armored keys with a text before", GpgKeys($"\"keyPath\":\"{both}\""), "gpg/exact:1", true, "", "file");
        Case("several files", GpgKeys($"\"keyPaths\":[\"{scratch["stranger.gpg"]}\",\"{keyring}\"]"), "gpg/exact:1", true, "", "file");
        Case("no such key", GpgKeys("\"keyPath\":\"/nonexistent\""), "gpg/exact:1", false, "its key cannot be read", "file");
        Case("a file that is no key", GpgKeys($"\"keyPath\":\"{scratch["standalone.json"]}\""), "gpg/exact:1", false, "no OpenPGP keys", "file");
        Case("stranger's", key, "gpg/stranger:1", false, "which is not accepted", "file");
        Case("the second", key, "gpg/second:1", true, "", "file");
        Case("the third, after a gap", key, "gpg/gap:1", false, "signature-2", "file");
        Case("other name", key, "gpg/othername:1", false, "does not accept", "file");
        Case("other name, expected", GpgKeys($"\"keyPath\":\"{keyring}\"", $$"""{"type":"exactReference","dockerReference":"{{host}}/gpg/exact:1"}"""), "gpg/othername:1", true, "", "file");
        Case("another image's", key, "gpg/otherimage:1", false, "it is a signature of", "file");
        Case("optional is null", key, "gpg/nulloption:1", false, "optional is no object", "file");
        Case("of sigstore's kind", key, "gpg/cosigntype:1", false, "its type is", "file");
        Case("not compressed", key, "gpg/plain:1", true, "", "file");
        Case("detached", key, "gpg/detached:1", false, "", "file");
        Case("armored", key, "gpg/armored:1", false, "unknown format", "file");
        Case("two signers, one known", key, "gpg/both:1", false, "2 signatures where one is wanted", "file");
        Case("two signers, both known", GpgKeys($"\"keyPath\":\"{both}\""), "gpg/both:1", false, "2 signatures where one is wanted", "file");
        Case("changed", key, "gpg/changed:1", false, "bad signature", "file");
        Case("two messages", key, "gpg/two:1", false, "", "file");
        Case("something behind the compressed message", key, "gpg/behind:1", true, "", "file");
        Case("garbage before", key, "gpg/garbage:1", false, "unknown format", "file");
        Case("unsigned", key, "gpg/unsigned:1", false, "there is no signature (", "file");
        Case("marked with its format", key, "gpg/marked:1", true, "", "file");
        Case("marked with another format", key, "gpg/unknownformat:1", false, "unknown format 'sign'", "file");
        Case("of another kind than wanted", Sigstore("trusted"), "gpg/exact:1", false, "only 1 of others", "file");
        Case("keys of a type that nobody has", key.Replace("GPGKeys", "X509Certificates"), "gpg/exact:1", false, "keys of type X509Certificates", "file");
        Case("keys of an unknown type", key.Replace("GPGKeys", "PGP"), "gpg/exact:1", false, "keyType is 'PGP'", "file");
        Case("a base layer", """{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}""", "gpg/exact:1", false, "signatures of base layers", "file");

        string named = GpgKeys($"\"keyPath\":\"{keyring}\"", $$"""{"type":"exactRepository","dockerRepository":"{{host}}/gpg/exact"}""");
        InDirectory("a directory", $"\"\":[{named}]", "dir", true);
        InDirectory("a directory has no name", $"\"\":[{key}]", "dir", false, "an image that has no name in a registry");
        InDirectory("the directory's scope", $"\"{scratch["dir"]}\":[{named}],\"\":[{{\"type\":\"reject\"}}]", "dir", true);
        InDirectory("its parent's scope", $"\"{scratch.Path}\":[{named}],\"\":[{{\"type\":\"reject\"}}]", "dir", true);
        InDirectory("through a link", $"\"{scratch["dir"]}\":[{named}],\"{scratch["link"]}\":[{{\"type\":\"reject\"}}]", "link", true);
        InDirectory("a scope that is no path", $"\"dir\":[{named}]", "dir", false, "invalid scope");
        InDirectory("a scope with a slash at its end", $"\"{scratch["dir"]}/\":[{named}]", "dir", false, "invalid scope");

        Signed("gpg/expired", (digest, name) => [Expired(digest, name)]);
        Case("an expired key", GpgKeys($"\"keyData\":\"{Convert.ToBase64String(gpg.Export("old@example.org"))}\""), "gpg/expired:1", false, "expired", "file");
        Judge();

        byte[] Sign(string by, string digest, string name) => gpg.Sign(by, Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, """{"creator":"test"}""", "atomic container signature")), "--sign");

        byte[] Plain(string digest, string name) => gpg.Sign(gpg.Trusted, Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, "{}", "atomic container signature")), "--sign", "--compress-algo", "none");

        // As if it had been signed in time.
        byte[] Expired(string digest, string name) =>
            gpg.Sign("old@example.org", Encoding.UTF8.GetBytes(SignedRegistry.Payload(digest, name, "{}", "atomic container signature")), "--sign", "--faked-system-time", "20200101T010000");

        static byte[] Changed(byte[] message)
        {
            int at = message.AsSpan().IndexOf("sha256:"u8) + 10;
            message[at] = message[at] == (byte)'0' ? (byte)'1' : (byte)'0';
            return message;
        }

        string Signed(string repository, Func<string, string, byte[][]> sign)
        {
            string digest = SignedRegistry.DigestOf(registry.PushImage(repository, "1", repository));
            Place(repository, digest, sign(digest, $"{host}/{repository}:1"));
            return digest;
        }

        void Place(string repository, string digest, byte[][] signatures)
        {
            for (int i = 0; i < signatures.Length; i++)
                foreach (string root in (string[])["sigs", "web/sigs"])
                    File.WriteAllBytes(scratch.Write($"{root}/{repository}@{digest.Replace(':', '=')}/signature-{i + 1}", ""), signatures[i]);
        }

        void InDirectory(string name, string scopes, string directory, bool isAccepted, string why = "") =>
            cases.Add(new PolicyCase(name, WithScopes("dir", scopes), $"dir:{scratch[directory]}", isAccepted, why, "file"));
    }

    private static string GpgKeys(string key, string? identity = null) =>
        $$"""{"type":"signedBy","keyType":"GPGKeys",{{key}}{{(identity is null ? "" : ",\"signedIdentity\":" + identity)}}}""";

    private string Sigstore(string key, string? identity = null) =>
        $$"""{"type":"sigstoreSigned","keyPath":"{{keys.Public(key)}}"{{(identity is null ? "" : ",\"signedIdentity\":" + identity)}}}""";

    private string Data(string key) => Convert.ToBase64String(File.ReadAllBytes(keys.Public(key)));

    private string Recorded(string log) => $$"""{"type":"sigstoreSigned","keyPath":"{{keys.Public("trusted")}}","rekorPublicKeyPath":"{{keys.Public(log)}}"}""";

    /// <summary>A signature with what a log, of the stranger here, says of it.</summary>
    private (string Payload, Dictionary<string, string> Annotations) Record((string Payload, Dictionary<string, string> Annotations) signature)
    {
        string hash = SignedRegistry.DigestOf(Encoding.UTF8.GetBytes(signature.Payload))["sha256:".Length..];
        object entry = new
        {
            apiVersion = "0.0.1",
            kind = "hashedrekord",
            spec = new { data = new { hash = new { algorithm = "sha256", value = hash } }, signature = new { content = signature.Annotations["dev.cosignproject.cosign/signature"], publicKey = new { content = Data("trusted") } } },
        };
        string body = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(entry));
        string promised = "{\"body\":\"" + body + "\",\"integratedTime\":1700000000,\"logID\":\"c0ffee\",\"logIndex\":42}";
        string promise = keys.Sign("stranger", promised).Annotations["dev.cosignproject.cosign/signature"];
        return (signature.Payload, new(signature.Annotations) { ["dev.sigstore.cosign/bundle"] = "{\"SignedEntryTimestamp\":\"" + promise + "\",\"Payload\":" + promised.Replace(":42", ": 42") + "}" });
    }

    private string Signed(string repository, string reference, string by = "trusted") => Custom(repository, digest => keys.Sign(by, SignedRegistry.Payload(digest, reference)));

    private string Custom(string repository, Func<string, (string, Dictionary<string, string>)> sign)
    {
        byte[] manifest = registry.PushImage(repository, "1", repository);
        string digest = SignedRegistry.DigestOf(manifest);
        registry.Attach(repository, manifest, sign(digest));
        return digest;
    }

    private void Registries(string name, string yaml) => scratch.Write($"registries-{name}/.config/containers/registries.d/a.yaml", yaml);

    private void Case(string name, string requirements, string image, bool isAccepted, string why = "", string registries = "on") =>
        cases.Add(new PolicyCase(name, $$"""{"default":[{{requirements.Replace("KEYS", scratch.Path)}}]}""", $"docker://{registry.Host}/{image}", isAccepted, why, registries));

    private void Scopes(string name, string scopes, string image, bool isAccepted, string why = "") =>
        cases.Add(new PolicyCase(name, WithScopes("docker", scopes), $"docker://{registry.Host}/{image}", isAccepted, why));

    private static string WithScopes(string transport, string scopes) =>
        """{"default":[{"type":"insecureAcceptAnything"}],"transports":{""" + $"\"{transport}\":{{{scopes}}}" + "}}";

    private void Judge()
    {
        Assert.True(cases.Count > 25);
        string?[] wrong = new string?[cases.Count];
        Parallel.For(0, cases.Count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, index =>
        {
            PolicyCase one = cases[index];
            string policy = scratch.Write($"policy-{index}.json", one.Policy), home = scratch["registries-" + one.Registries];
            ToolResult theirs = Tool.Run("skopeo", "--policy", policy, "--registries.d", $"{home}/.config/containers/registries.d", "copy", "--src-tls-verify=false", "--remove-signatures", one.Image, $"dir:{scratch[$"out-{index}"]}");
            ToolResult ours = Tool.Run(
                new ToolStart(OurProgram.Path()) { Environment = new Dictionary<string, string?> { ["CONTAINERS_POLICY_JSON"] = policy, ["HOME"] = home, ["XDG_CONFIG_HOME"] = null } },
                "container", "image", "pull", scratch["repo"], "ostree-unverified-image:" + one.Image, "--check", scratch[$"check-{index}"]);
            bool isOneLine = ours.Error.TrimEnd('\n').Split('\n').Length == 1 && ours.Error.StartsWith("error: ", StringComparison.Ordinal);
            // Debian 12's skopeo was built without the cryptography of sigstore: it comes as far as to that, and says so.
            // And it knows fewer members than there are now.
            bool abstains = theirs.ExitCode != 0 && (theirs.Error.Contains("sigstore disabled", StringComparison.Ordinal) || isNew.IsMatch(theirs.Error));
            if (!abstains && theirs.ExitCode == 0 != one.IsAccepted)
                wrong[index] = $"{one.Name}: skopeo: exit code {theirs.ExitCode}\n{theirs.Error}";
            else if (ours.ExitCode == 0 != one.IsAccepted || (!one.IsAccepted && (!isOneLine || !ours.Error.Contains(one.Why, StringComparison.Ordinal) || File.Exists(scratch[$"check-{index}"]))))
                wrong[index] = $"{one.Name}: ours: exit code {ours.ExitCode}, wanted '{one.Why}'\n{ours.Error}\nskopeo: {theirs.Error}";
        });
        Assert.True(wrong.All(text => text is null), string.Join('\n', wrong.OfType<string>()));
    }
}
