using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// The OpenPGP keys that a remote is trusted by, put into files that <c>gpgv</c> reads. As in ostree: <c>NAME.trustedkeys.gpg</c> beside the
/// configuration and what <c>gpgkeypath</c> names; the system's keys only where the remote has none of its own.
/// </summary>
internal static class GpgKeyring
{
    private const long MaxSize = 16 << 20;

    /// <summary>Writes the keyrings into a directory and gives their paths.</summary>
    /// <exception cref="RepositoryException">A key file that is configured cannot be read.</exception>
    public static List<string> Collect(Repo repo, Remote remote, string directory)
    {
        List<byte[]> rings = [];
        try
        {
            if (Own(repo, remote.Name) is { } own)
                rings.Add(own);
            else
                AddDirectory(rings, Environment.GetEnvironmentVariable("OSTREE_GPG_HOME") ?? "/usr/share/ostree/trusted.gpg.d");
            foreach (string path in remote.Get("gpgkeypath")?.Split([';', ','], StringSplitOptions.RemoveEmptyEntries) ?? [])
                if (Directory.Exists(path))
                    AddDirectory(rings, path);
                else
                    rings.Add(Files.ReadNamed(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RepositoryException($"Reading the keys of remote \"{remote.Name}\"", e);
        }
        List<string> paths = [];
        foreach (byte[] ring in rings)
        {
            string path = Path.Combine(directory, $"ring-{paths.Count}.gpg");
            File.WriteAllBytes(path, Unarmored(ring));
            paths.Add(path);
        }
        return paths;
    }

    private static byte[]? Own(Repo repo, string remote)
    {
        string file = $"{remote}.trustedkeys.gpg";
        for (Repo? at = repo; at is not null; at = at.Parent)
            if (at.Root.TryReadAllBytes(file, MaxSize) is { } bytes)
                return bytes;
        string system = $"/etc/ostree/remotes.d/{file}";
        return File.Exists(system) ? Files.ReadNamed(system) : null;
    }

    private static void AddDirectory(List<byte[]> rings, string path)
    {
        if (!Directory.Exists(path))
            return;
        foreach (string file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
            if (file.EndsWith(".gpg", StringComparison.Ordinal) || file.EndsWith(".asc", StringComparison.Ordinal))
                rings.Add(Files.ReadNamed(file));
    }

    // gpgv reads packets only. RFC 4880, 6.2: a BEGIN line, headers, an empty line, base64, a checksum after "=", an END line.
    private static byte[] Unarmored(byte[] ring)
    {
        if (!ring.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("-----BEGIN PGP"u8))
            return ring;
        using MemoryStream packets = new();
        StringBuilder? body = null;
        bool headers = false;
        foreach (string line in Encoding.ASCII.GetString(ring).Split('\n').Select(line => line.Trim()))
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
}
