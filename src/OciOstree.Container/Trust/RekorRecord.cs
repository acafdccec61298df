using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// What a Rekor log has promised about a signature, as cosign keeps it beside the signature: the log's own signature over an entry
/// (<c>hashedrekord</c> 0.0.1) with the payload's hash, the signature and the signer's key. That the entry is in the log now is not asked.
/// </summary>
internal static class RekorRecord
{
    /// <summary>The annotation that it is in.</summary>
    internal const string Annotation = "dev.sigstore.cosign/bundle";

    /// <summary>Integers above are not the same in every reader of JSON.</summary>
    private const long ExactLimit = 1L << 53;

    /// <summary>Passes if one of the logs has recorded this signature by this key of this payload.</summary>
    /// <exception cref="ContainerException">None has, or it is no such record.</exception>
    internal static void Verify(ReadOnlyMemory<byte> bundle, IReadOnlyList<SigstoreKey> logs, ReadOnlySpan<byte> payload, byte[] signature, SigstoreKey signer)
    {
        try
        {
            var (signedBytes, promise, body) = StrictJson.Parse(bundle, ReadBundle);
            if (!logs.Any(log => log.Verify(signedBytes, promise)))
            {
                throw new ContainerException("it is not by an accepted log");
            }

            var (recordedSignature, recordedKey, recordedHash) = StrictJson.Parse(body, ReadEntry);
            var what = !signature.AsSpan().SequenceEqual(recordedSignature) ? "signature"
                : !signer.SubjectPublicKeyInfo.AsSpan().SequenceEqual(recordedKey) ? "key"
                : !SHA256.HashData(payload).AsSpan().SequenceEqual(recordedHash) ? "document"
                : null;
            if (what is not null)
            {
                throw new ContainerException($"it is of another {what}");
            }
        }
        catch (ContainerException e)
        {
            throw new ContainerException("its record in a Rekor log cannot be accepted", e);
        }
    }

    // The log signs the payload in RFC 8785's form. Of these four members there is only one such form, which is written rather than copied.
    private static (byte[] Signed, byte[] Promise, byte[] Body) ReadBundle(JsonElement root)
    {
        var members = StrictJson.ExactMembers(root, "the record", "SignedEntryTimestamp", "Payload");
        var payload = StrictJson.ExactMembers(members["Payload"], "its Payload", "body", "integratedTime", "logIndex", "logID");
        var body = StrictJson.Text(payload["body"], "body");
        var log = StrictJson.Text(payload["logID"], "logID");
        if (!log.All(char.IsAsciiLetterOrDigit) || body.AsSpan().ContainsAny('\r', '\n'))
        {
            throw new ContainerException("its Payload is not as a log writes it");
        }

        var form = string.Create(CultureInfo.InvariantCulture, $$"""{"body":"{{body}}","integratedTime":{{Integer(payload, "integratedTime")}},"logID":"{{log}}","logIndex":{{Integer(payload, "logIndex")}}""") + "}";
        return (Encoding.ASCII.GetBytes(form), Bytes(members, "SignedEntryTimestamp"), Bytes(payload, "body"));
    }

    private static (byte[] Signature, byte[] Key, byte[] Hash) ReadEntry(JsonElement root)
    {
        var entry = StrictJson.Members(root, "the entry", null);
        if (Text(entry, "kind") != "hashedrekord" || Text(entry, "apiVersion") != "0.0.1")
        {
            throw new ContainerException("its entry is no hashedrekord 0.0.1");
        }

        var spec = Object(entry, "spec");
        var (signature, hash) = (Object(spec, "signature"), Object(Object(spec, "data"), "hash"));
        if (Text(hash, "algorithm") != "sha256" || Text(hash, "value") is not { Length: 64 } hex || !hex.All(char.IsAsciiHexDigit))
        {
            throw new ContainerException("its entry has no SHA-256");
        }

        var pem = Encoding.Latin1.GetString(Bytes(Object(signature, "publicKey"), "content"));
        return PemEncoding.TryFind(pem, out var fields) && Base64.TryDecode(pem[fields.Base64Data], out var key)
            ? (Bytes(signature, "content"), key, Convert.FromHexString(hex))
            : throw new ContainerException("its entry has no key");
    }

    private static long Integer(Dictionary<string, JsonElement> members, string name) =>
        members[name] is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) && Math.Abs(number) <= ExactLimit ? number : throw new ContainerException($"{name} is no integer");

    private static Dictionary<string, JsonElement> Object(Dictionary<string, JsonElement> members, string name) =>
        members.TryGetValue(name, out var value) ? StrictJson.Members(value, name, null) : throw new ContainerException($"its entry has no {name}");

    private static string Text(Dictionary<string, JsonElement> members, string name) =>
        members.TryGetValue(name, out var value) ? StrictJson.Text(value, name) : throw new ContainerException($"its entry has no {name}");

    private static byte[] Bytes(Dictionary<string, JsonElement> members, string name) => Base64.TryDecode(Text(members, name), out var bytes) ? bytes : throw new ContainerException($"{name} is no base64");
}
