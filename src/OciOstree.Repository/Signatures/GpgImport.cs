using System.Globalization;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Gives a remote further OpenPGP keys to be trusted by.</summary>
public static class GpgImport
{
    private const long MaxSize = 16 << 20;

    /// <summary>Adds keys to <c>NAME.trustedkeys.gpg</c>; of keys that are there already it takes what is new: user IDs, subkeys, expiries, revocations.</summary>
    /// <param name="sources">Exported keys, armored or not, or keyrings.</param>
    /// <param name="keyIds">Which of them; none is all.</param>
    /// <returns>How many keys were not there before.</returns>
    /// <exception cref="RepositoryException">There are no such keys, or gpg does not take them; the remote's keys are then as they were.</exception>
    public static int Run(Repo repo, string remote, IEnumerable<byte[]> sources, IReadOnlyList<string> keyIds)
    {
        RefName.ValidateRemote(remote);
        try
        {
            byte[] keys = Select(sources, keyIds);
            using var target = new GpgScratch();
            string file = GpgKeyring.FileName(remote);
            byte[] before = repo.Root.TryReadAllBytes(file, MaxSize) ?? [];
            // gpg keeps the format of a keyring that it finds; where there is none the old one is what libostree reads.
            string ring = target.Write(OpenPgp.IsKeybox(before) ? "pubring.kbx" : "pubring.gpg", before);
            int imported = Import(target, keys);
            repo.Root.ReplaceFile(file, Files.ReadNamed(ring), 0x1A4, repo.Settings.Fsync);
            return imported;
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException("GPG", e);
        }
    }

    private static byte[] Select(IEnumerable<byte[]> sources, IReadOnlyList<string> keyIds)
    {
        using var source = new GpgScratch();
        source.Write("pubring.gpg", []);
        using MemoryStream all = new();
        foreach (byte[] bytes in sources)
            all.Write(OpenPgp.IsKeybox(bytes) ? Exported(source, bytes) : OpenPgp.Dearmor(bytes));
        if (all.Length > 0)
            Import(source, all.ToArray());
        List<GpgKey> keys = [];
        foreach (string id in keyIds)
            keys.AddRange(id.Length >= GpgSigner.MinKeyId && List(source, id) is { Count: > 0 } found ? found : throw new RepositoryException($"Unable to find key \"{id}\""));
        if (keyIds.Count == 0)
            keys = List(source);
        if (keys.Count == 0)
            throw new RepositoryException("Unable to export keys: No data");
        return Gpg(source, ["--export", "--", .. keys.Select(key => key.Fingerprint)]).Output;
    }

    private static byte[] Exported(GpgScratch scratch, byte[] keybox) =>
        Gpg(scratch, ["--no-default-keyring", "--keyring", scratch.Write("source.kbx", keybox), "--export"]).Output;

    private static List<GpgKey> List(GpgScratch scratch, params string[] only) => GpgKey.Parse(Gpg(scratch, [.. GpgKey.ListOptions, "--list-keys", "--", .. only]).Text);

    // The exit code tells of single user IDs that were left out, too: what counts are the status lines.
    private static int Import(GpgScratch scratch, byte[] keys)
    {
        GpgProgram gpg = Gpg(scratch, ["--status-fd", "1", "--import"], keys);
        int? imported = null;
        foreach (string[] words in GpgProgram.StatusLines(gpg.Text))
            switch (words[0])
            {
                case "IMPORT_PROBLEM":
                    throw new RepositoryException($"Unable to import key \"{words.ElementAtOrDefault(2)}\"", new RepositoryException(gpg.Complaint));
                case "IMPORT_RES" when words.Length > 3 && int.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out int count):
                    imported = count;
                    break;
                default:
                    break;
            }
        return imported ?? throw new RepositoryException("Unable to import keys", new RepositoryException(gpg.Complaint));
    }

    private static GpgProgram Gpg(GpgScratch home, IEnumerable<string> arguments, byte[]? input = null) =>
        GpgProgram.Run("gpg", ["--homedir", home.Path, "--batch", "--no-options", "--no-autostart", "--no-permission-warning", .. arguments], input);
}
