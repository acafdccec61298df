using System.ComponentModel;
using System.Diagnostics;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>Checks OpenPGP signatures against the keys of a remote, through the system's <c>gpgv</c>.</summary>
public static class GpgVerifier
{
    /// <summary>The key in detached metadata and in <c>summary.sig</c> that signatures are under, an <c>aay</c> of signature packets.</summary>
    public const string SignaturesKey = "ostree.gpgsigs";

    /// <summary>Passes if at least one signature is good and by a key that the remote is trusted by, neither expired nor revoked.</summary>
    /// <param name="metadata">What holds the signatures; null is none.</param>
    /// <exception cref="RepositoryException">There is no such signature, or they cannot be checked.</exception>
    public static void Verify(Repo repo, Remote remote, ReadOnlySpan<byte> data, Variant? metadata)
    {
        if (metadata?.Lookup(SignaturesKey) is not { Type: "aay", Count: > 0 } signatures)
            throw new RepositoryException("GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)");
        string directory = Directory.CreateTempSubdirectory("oci-ostree-gpg-").FullName;
        try
        {
            List<string> rings = GpgKeyring.Collect(repo, remote, directory);
            if (rings.Count == 0)
                throw new RepositoryException($"GPG signatures found, but remote \"{remote.Name}\" has no trusted keys");
            string signature = Path.Combine(directory, "signature"), signed = Path.Combine(directory, "data");
            // Packets tell their own lengths: one after the other they are a valid signature file.
            using (FileStream file = File.Create(signature))
                for (int i = 0; i < signatures.Count; i++)
                    file.Write(signatures[i].AsBytes().Span);
            using (FileStream file = File.Create(signed))
                file.Write(data);
            if (!HasGoodSignature(Run(rings, signature, signed)))
                throw new RepositoryException("GPG signatures found, but none are in trusted keyring");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Run(List<string> rings, string signature, string signed)
    {
        ProcessStartInfo start = new("gpgv") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in (IEnumerable<string>)["--status-fd", "1", .. rings.SelectMany(ring => (string[])["--keyring", ring]), signature, signed])
            start.ArgumentList.Add(argument);
        try
        {
            using Process gpgv = Process.Start(start)!;
            gpgv.StandardInput.Close();
            Thread errors = new(() => gpgv.StandardError.ReadToEnd());
            errors.Start();
            string status = gpgv.StandardOutput.ReadToEnd();
            gpgv.WaitForExit();
            errors.Join();
            return status;
        }
        catch (Win32Exception e)
        {
            throw new RepositoryException("GPG verification enabled, but gpgv cannot be run", e);
        }
    }

    // Each signature's verdict comes first, then VALIDSIG with its key; a good signature by an expired or revoked key has another verdict.
    private static bool HasGoodSignature(string status)
    {
        bool good = false;
        foreach (string line in status.Split('\n'))
        {
            string[] words = line.Split(' ');
            if (words.Length < 2 || words[0] != "[GNUPG:]")
                continue;
            if (words[1] == "VALIDSIG" && good)
                return true;
            good = words[1] switch
            {
                "GOODSIG" => true,
                "BADSIG" or "ERRSIG" or "EXPSIG" or "EXPKEYSIG" or "REVKEYSIG" or "NEWSIG" => false,
                _ => good,
            };
        }
        return false;
    }
}
