using System.Buffers.Binary;
using System.Text;

namespace OciOstree.Repository;

/// <summary>As much of RFC 4880 as is needed to hand bytes to gpg: ASCII armor, and what kinds of packets there are.</summary>
internal static class OpenPgp
{
    private const int SignatureTag = 2, PublicKeyTag = 6;

    /// <summary>The packets in ASCII armor (6.2); what is not armored comes back as it is.</summary>
    /// <exception cref="RepositoryException">The armor is damaged.</exception>
    public static byte[] Dearmor(byte[] data)
    {
        if (!data.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("-----BEGIN PGP"u8))
            return data;
        using MemoryStream packets = new();
        StringBuilder? body = null;
        bool headers = false;
        foreach (string line in KeyText.Lines(data).Select(line => line.Trim()))
        {
            if (line.StartsWith("-----BEGIN PGP", StringComparison.Ordinal))
                (body, headers) = (new StringBuilder(), true);
            else if (body is null)
                continue;
            else if (headers)
                headers = line.Length > 0;
            else if (line.StartsWith('=') || line.StartsWith("-----END", StringComparison.Ordinal))
            {
                try
                {
                    packets.Write(Convert.FromBase64String(body.ToString()));
                }
                catch (FormatException e)
                {
                    throw new RepositoryException("A key's armor is damaged", e);
                }
                body = null;
            }
            else
                body.Append(line);
        }
        return packets.ToArray();
    }

    /// <summary>Whether gpg can use it as a keyring: public keys one after the other, or a keybox.</summary>
    public static bool IsKeyring(ReadOnlySpan<byte> data) => IsKeybox(data) || TryReadHeader(data, out int tag, out _, out _) && tag == PublicKeyTag;

    // GnuPG's own format of pubring.kbx has its magic in the first blob.
    public static bool IsKeybox(ReadOnlySpan<byte> data) => data.Length >= 32 && data[8..12].SequenceEqual("KBXf"u8);

    /// <summary>
    /// How many signatures there are. Anything else is refused: bytes that nobody vouches for yet need not reach gpg's readers of messages, keys and
    /// compressed data, and a message that carries a text of its own must never count as a signature of anything else.
    /// </summary>
    public static int CountSignatures(ReadOnlySpan<byte> data)
    {
        int count = 0;
        while (!data.IsEmpty)
        {
            if (!TryReadHeader(data, out int tag, out int header, out uint length) || tag != SignatureTag || length > data.Length - header)
                throw new RepositoryException("GPG: not a detached signature");
            data = data[(header + (int)length)..];
            count++;
        }
        return count > 0 ? count : throw new RepositoryException("GPG: not a detached signature");
    }

    // 4.2: the tag, then the length in one of two ways; lengths that are not known beforehand are for messages only.
    private static bool TryReadHeader(ReadOnlySpan<byte> data, out int tag, out int header, out uint length)
    {
        (tag, header, length) = (0, 0, 0);
        if (data.Length < 2 || (data[0] & 0x80) == 0)
            return false;
        int kind = data[0] & 0x40;
        tag = kind != 0 ? data[0] & 0x3F : data[0] >> 2 & 0xF;
        if (kind == 0)
        {
            switch (data[0] & 3)
            {
                case 0:
                    (header, length) = (2, data[1]);
                    return true;
                case 1 when data.Length >= 3:
                    (header, length) = (3, BinaryPrimitives.ReadUInt16BigEndian(data[1..]));
                    return true;
                case 2 when data.Length >= 5:
                    (header, length) = (5, BinaryPrimitives.ReadUInt32BigEndian(data[1..]));
                    return true;
                default:
                    return false;
            }
        }
        switch (data[1])
        {
            case < 192:
                (header, length) = (2, data[1]);
                return true;
            case < 224 when data.Length >= 3:
                (header, length) = (3, (uint)((data[1] - 192 << 8) + data[2] + 192));
                return true;
            case 255 when data.Length >= 6:
                (header, length) = (6, BinaryPrimitives.ReadUInt32BigEndian(data[2..]));
                return true;
            default:
                return false;
        }
    }
}
