namespace OciOstree.Repository;

/// <summary>An OpenPGP message that holds what it signs, as <c>gpg --sign</c> makes it (RFC 4880, 11.3), checked by the system's <c>gpgv</c>.</summary>
/// <param name="Content">What was signed.</param>
/// <param name="Signature">Valid.</param>
public sealed record GpgMessage(byte[] Content, GpgSignature Signature)
{
    /// <summary>Reads a message with one signature, which must be good and by one of the keys, neither expired nor revoked.</summary>
    /// <param name="keyFiles">Files with public keys, armored or not; text before the armor is passed over.</param>
    /// <exception cref="RepositoryException">It is not such a message, the keys cannot be read, or gpgv cannot be run.</exception>
    public static GpgMessage Verify(IEnumerable<byte[]> keyFiles, ReadOnlySpan<byte> message)
    {
        using var scratch = new GpgScratch();
        List<string> rings = [];
        foreach (byte[] file in keyFiles)
        {
            byte[] ring = OpenPgp.Dearmor(FromArmor(file));
            if (!OpenPgp.IsKeyring(ring))
                throw new RepositoryException("there are no OpenPGP keys in it");
            rings.AddRange(["--keyring", scratch.Write($"ring-{rings.Count}.gpg", ring)]);
        }
        if (rings.Count == 0)
            throw new RepositoryException("there are no OpenPGP keys");
        // Armor and clear text, which gpgv reads as well, have ways of their own to be read as something else than was meant.
        if (message.IsEmpty || (message[0] & 0x80) == 0)
            throw new RepositoryException("it is no OpenPGP message");

        // Its log is in the same stream: all its lines begin with its name, and what it quotes of messages and keys has no line ends.
        GpgProgram gpgv = GpgProgram.Run("gpgv", ["--homedir", scratch.Path, "--status-fd", "2", "--output", "-", .. rings, scratch.Write("message", message)]);
        List<GpgSignature> signatures = GpgVerifier.Parse(gpgv.Error);
        int texts = GpgProgram.StatusLines(gpgv.Error).Count(words => words[0] == "PLAINTEXT");
        return signatures switch
        {
            [] => throw new RepositoryException("it is no signed OpenPGP message", new RepositoryException(gpgv.Complaint)),
            [{ IsValid: true } only] when gpgv.ExitCode == 0 && texts == 1 => new GpgMessage(gpgv.Output, only),
            [{ IsValid: false } only] => throw new RepositoryException(WhyNot(only)),
            [_] => throw new RepositoryException("it is not one text with its signature", new RepositoryException(gpgv.Complaint)),
            _ => throw new RepositoryException($"it has {signatures.Count} signatures where one is wanted"),
        };
    }

    private static byte[] FromArmor(byte[] file)
    {
        int start = file.AsSpan().IndexOf("-----BEGIN PGP"u8);
        return start > 0 && (file[0] & 0x80) == 0 && file[start - 1] == '\n' ? file[start..] : file;
    }

    private static string WhyNot(GpgSignature signature) =>
        signature.IsKeyMissing ? $"signed by key {signature.Fingerprint}, which is not accepted"
        : signature.IsKeyRevoked ? $"signed by key {signature.Fingerprint}, which was revoked"
        : signature.IsKeyExpired ? $"signed by key {signature.Fingerprint}, which has expired"
        : signature.IsExpired ? $"the signature by key {signature.Fingerprint} has expired"
        : $"a bad signature by key {signature.Fingerprint}";
}
