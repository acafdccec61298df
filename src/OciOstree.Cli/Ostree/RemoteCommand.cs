using System.CommandLine;
using OciOstree.Formats.Keyfile;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary><c>ostree remote</c>: what a repository can be updated from.</summary>
internal static class RemoteCommand
{
    public static Command Create()
    {
        var group = new Verb("remote", "Remote commands that may involve internet access", "ostree remote list --repo=/srv/repo -u");
        group.Add(Add());
        group.Add(Delete());
        group.Add(ShowUrl());
        group.Add(List());
        group.Add(RemoteKeyCommands.Import());
        group.Add(RemoteKeyCommands.List());
        group.Add(RemoteCookieCommands.Add());
        group.Add(RemoteCookieCommands.Delete());
        group.Add(RemoteCookieCommands.List());
        group.Add(RemoteRefsCommand.Create());
        group.Add(RemoteSummaryCommand.Create());
        return group;
    }

    private static OstreeVerb Add()
    {
        var set = Opts.Many("--set", "KEY=VALUE", "Set config option KEY=VALUE for remote");
        var noGpgVerify = Opts.Flag("--no-gpg-verify", "Disable GPG verification");
        var noSignVerify = Opts.Flag("--no-sign-verify", "Disable signature verification");
        var signVerify = Opts.Many("--sign-verify", "KEYTYPE=[inline|file]:PUBKEY", "Verify signatures using KEYTYPE=inline:PUBKEY or KEYTYPE=file:/path/to/key");
        var ifNotExists = Opts.Flag("--if-not-exists", "Do nothing if the provided remote exists");
        var force = Opts.Flag("--force", "Replace the provided remote if it exists");
        var backend = Opts.Value("--custom-backend", "NAME", "This remote has content not fetched via libostree");
        var contentUrl = Opts.Value("--contenturl", "URL", "Use URL when fetching content");
        var collection = Opts.Value("--collection-id", "COLLECTION-ID", "Globally unique ID for this repository as an collection of refs for redistribution to other repositories");
        var gpgImport = Opts.Value("--gpg-import", "FILE", "Import GPG key from FILE");
        return new OstreeVerb("add", "Add a remote repository", "NAME [metalink=|mirrorlist=]URL [BRANCH...]", "ostree remote add --repo=/srv/repo origin https://example.org/repo")
        {
            set, noGpgVerify, noSignVerify, signVerify, ifNotExists, force, backend, contentUrl, gpgImport, collection, SysrootOption.Sysroot,
        }.Does((OstreeCall call) =>
        {
            RemoteStore store = RemoteStore.Of(call);
            if (call.Get(backend) is null)
                call.Need(2, "NAME and URL must be specified");
            else
                call.Need(1, "NAME must be specified");
            if (call.Get(ifNotExists) && call.Get(force))
                throw new UsageException("Can only specify one of --if-not-exists and --force", withHelp: true);
            string name = call.Words[0];
            RefName.ValidateRemote(name);
            bool known = store.Contains(name);
            if (known && !call.Get(ifNotExists) && !call.Get(force))
                throw new RepositoryException($"Remote configuration for \"{name}\" already exists: {store.PlaceOf(name)}");
            byte[]? keys = call.Get(gpgImport) is { } path ? RemoteKeyCommands.ReadFile(path) : null;
            if (!known || call.Get(force))
                store.Write(name, config => Fill(config, RemoteStore.Section(name)));
            // Also for a remote that was there, which may lack the keys.
            if (keys is not null)
                RemoteKeyCommands.Import(call, store, name, [keys], []);

            void Fill(KeyFile config, string section)
            {
                if (call.Words.Count > 1)
                {
                    string url = call.Words[1];
                    if (url.StartsWith("metalink=", StringComparison.Ordinal))
                        config.SetString(section, "metalink", url["metalink=".Length..]);
                    else
                        config.SetString(section, "url", url);
                }
                if (call.Words.Count > 2)
                    config.SetStringList(section, "branches", call.Words.Skip(2));
                if (call.Get(contentUrl) is { } content)
                    config.SetString(section, "contenturl", content);
                if (call.Get(backend) is { } custom)
                    config.SetString(section, "custom-backend", custom);
                foreach (string pair in call.Get(set)!)
                {
                    int equals = pair.IndexOf('=', StringComparison.Ordinal);
                    if (equals < 0)
                        throw new RepositoryException("Missing '=' in KEY=VALUE for --set");
                    config.SetString(section, pair[..equals], pair[(equals + 1)..]);
                }
                if (call.Get(noGpgVerify) || call.Get(noSignVerify))
                    config.SetBoolean(section, "gpg-verify", false);
                string[] keys = call.Get(signVerify)!;
                if (call.Get(noSignVerify))
                {
                    if (keys.Length > 0)
                        throw new RepositoryException("Cannot specify both --sign-verify and --no-sign-verify");
                    config.SetBoolean(section, "sign-verify", false);
                }
                SetKeys(config, section, keys);
                if (call.Get(collection) is { } id)
                    config.SetString(section, "collection-id", id);
            }
        });
    }

    private static void SetKeys(KeyFile config, string section, string[] keys)
    {
        var types = new List<string>();
        foreach (string key in keys)
        {
            int equals = key.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
                throw new RepositoryException($"Failed to parse KEYTYPE=[inline|file]:DATA in {key}");
            string type = key[..equals];
            if (type is not ("ed25519" or "spki" or "dummy"))
                throw new RepositoryException("Requested signature type is not implemented");
            string[] source = key[(equals + 1)..].Split(':', 2);
            string suffix = source[0] switch
            {
                "inline" => "key",
                "file" => "file",
                _ => throw new RepositoryException($"Invalid key reference {source[0]}, expected inline|file"),
            };
            config.SetString(section, $"verification-{type}-{suffix}", source.Length > 1 ? source[1] : "");
            types.Add(type);
        }
        if (types.Count > 0)
            config.SetString(section, "sign-verify", string.Join(',', types));
    }

    private static OstreeVerb Delete()
    {
        var ifExists = Opts.Flag("--if-exists", "Do nothing if the provided remote does not exist");
        return new OstreeVerb("delete", "Delete a remote repository", "NAME", "ostree remote delete --repo=/srv/repo origin") { ifExists, SysrootOption.Sysroot }.Does((OstreeCall call) =>
        {
            RemoteStore store = RemoteStore.Of(call);
            call.Need(1, "NAME must be specified");
            string name = call.Words[0];
            RefName.ValidateRemote(name);
            if (store.Contains(name))
                store.Delete(name);
            else if (!call.Get(ifExists))
                throw new RepositoryException($"Remote \"{name}\" not found");
        });
    }

    private static OstreeVerb ShowUrl() =>
        new OstreeVerb("show-url", "Show remote repository URL", "NAME", "ostree remote show-url --repo=/srv/repo origin") { SysrootOption.Sysroot }.Does((OstreeCall call) =>
        {
            call.Need(1, "NAME must be specified");
            call.Print(RemoteStore.Of(call).Url(call.Words[0]));
        });

    private static OstreeVerb List()
    {
        var showUrls = Opts.Flag("--show-urls", "Show remote URLs in list", "-u");
        return new OstreeVerb("list", "List remote repository names", "", "ostree remote list --repo=/srv/repo -u") { showUrls, SysrootOption.Sysroot }.Does((OstreeCall call) =>
        {
            RemoteStore store = RemoteStore.Of(call);
            string[] names = store.Names.ToArray();
            int width = names.Length == 0 ? 0 : names.Max(n => n.Length);
            foreach (string name in names)
                call.Print(call.Get(showUrls) ? $"{name.PadRight(width)}  {store.Place(name)}" : name);
        });
    }
}
