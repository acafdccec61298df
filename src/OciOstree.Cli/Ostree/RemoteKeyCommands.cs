using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>The OpenPGP keys that remotes are trusted by.</summary>
internal static class RemoteKeyCommands
{
    public static OstreeVerb Import()
    {
        var keyrings = Opts.Many("--keyring", "FILE", "Import keys from a keyring file (repeatable)", "-k");
        var stdin = Opts.Flag("--stdin", "Import keys from standard input");
        return new OstreeVerb("gpg-import", "Import GPG keys", "NAME [KEY-ID...]", "ostree remote gpg-import --repo=/srv/repo --keyring=example.asc origin") { keyrings, stdin, SysrootOption.Sysroot }.Does((OstreeCall call) =>
        {
            RemoteStore store = RemoteStore.Of(call);
            call.Need(1, "NAME must be specified");
            string[] files = call.Get(keyrings)!;
            if (call.Get(stdin) && files.Length > 0)
                throw new UsageException("--keyring and --stdin are mutually exclusive", withHelp: true);
            string name = call.Words[0];
            List<byte[]> sources = call.Get(stdin) ? [ReadInput()] : [.. files.Select(ReadFile)];
            store.ConfigOf(name);
            Import(call, store, name, sources, call.Words.Skip(1).ToArray());
        });
    }

    /// <summary>Imports keys and says how many were new.</summary>
    public static void Import(OstreeCall call, RemoteStore store, string remote, IEnumerable<byte[]> sources, IReadOnlyList<string> keyIds)
    {
        int imported = GpgImport.Run(store.Repo, remote, sources, keyIds);
        call.Print($"Imported {imported} GPG key{(imported == 1 ? "" : "s")} to remote \"{remote}\"");
    }

    public static byte[] ReadFile(string path)
    {
        try
        {
            return Files.ReadNamed(path);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"Error opening file {Path.GetFullPath(path)}: {ErrorText.Of(e)}");
        }
    }

    private static byte[] ReadInput()
    {
        using Stream input = Console.OpenStandardInput();
        using MemoryStream all = new();
        input.CopyTo(all);
        return all.ToArray();
    }

    public static OstreeVerb List() =>
        new OstreeVerb("gpg-list-keys", "Show remote GPG keys", "NAME", "ostree remote gpg-list-keys --repo=/srv/repo origin") { SysrootOption.Sysroot }.Does((OstreeCall call) =>
        {
            Repo repo = RemoteStore.Of(call).Repo;
            GpgKeyring keys = call.Words.Count > 0 ? GpgKeyring.OwnedBy(repo, Remote.Find(repo, call.Words[0])) : GpgKeyring.System();
            foreach (GpgKey key in keys.List())
                GpgText.PrintKey(call, key);
        });
}
