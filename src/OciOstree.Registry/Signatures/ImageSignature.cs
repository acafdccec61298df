using System.Text;

namespace OciOstree.Registry;

/// <summary>
/// A signature that lies beside an image (containers-signature(5)). Nothing of it has been verified: it is what somebody has put there.
/// </summary>
public abstract record ImageSignature
{
    /// <summary>The largest signature that is read, in bytes, as in containers/image.</summary>
    public const int SizeLimit = 4 << 20;

    /// <summary>
    /// Reads a signature as it is stored in a file: an OpenPGP message as such, anything else behind a NUL, the name of its format and a
    /// newline.
    /// </summary>
    /// <exception cref="RegistryException">It is neither.</exception>
    public static ImageSignature Parse(ReadOnlyMemory<byte> file)
    {
        var bytes = file.Span;
        if (bytes.IsEmpty)
        {
            throw new RegistryException("an empty signature");
        }

        if (IsOpenPgp(bytes[0]))
        {
            return new SimpleSignature(file);
        }

        if (bytes[0] != 0)
        {
            throw new RegistryException($"a signature of an unknown format, beginning with 0x{bytes[0]:x2}");
        }

        var newline = bytes.IndexOf((byte)'\n');
        if (newline < 0 || bytes[1..newline].ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            throw new RegistryException("a signature that does not name its format");
        }

        var content = file[(newline + 1)..];
        return Encoding.ASCII.GetString(bytes[1..newline]) switch
        {
            "simple-signing" => new SimpleSignature(content),
            "sigstore-json" => ReadSigstore(content),
            var other => throw new RegistryException($"a signature of the unknown format '{Printable.Clip(other)}'"),
        };
    }

    // RFC 4880, 4.2: the packets that a signed message begins with: compressed data, a one-pass signature, a signature.
    private static bool IsOpenPgp(byte first) => first switch
    {
        >= 0xa0 and <= 0xa3 or 0xc8 => true,
        >= 0x90 and <= 0x92 or 0xc4 => true,
        >= 0x88 and <= 0x8b or 0xc2 => true,
        _ => false,
    };

    private static SigstoreSignature ReadSigstore(ReadOnlyMemory<byte> content)
    {
        const string What = "sigstore signature";
        return Json.Parse(content, What, root =>
        {
            byte[] payload = [];
            if (Json.String(root, "payload", What) is { } text && !Base64.TryDecode(text, out payload))
            {
                throw new RegistryException($"invalid {What}: its payload is not base64");
            }

            return new SigstoreSignature(Json.String(root, "mimeType", What) ?? "", payload, Json.StringMap(root, "annotations", What) ?? new Dictionary<string, string>());
        });
    }
}
