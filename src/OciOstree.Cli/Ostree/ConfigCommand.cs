using System.CommandLine;
using OciOstree.Formats.Keyfile;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class ConfigCommand
{
    public static Command Create()
    {
        var group = Opts.Value("--group", null!, "Group name");
        return new OstreeVerb("config", "Change repo configuration settings", "(get KEY|set KEY VALUE|unset KEY)", "ostree config --repo=/srv/repo set core.fsync false") { group }.Does((OstreeCall call) =>
        {
            call.Need(1, "OPERATION must be specified");
            string operation = call.Words[0];
            int words = operation == "set" ? 3 : 2;
            if (call.Words.Count > words)
                throw new UsageException("Too many arguments given", withHelp: true);
            if (operation is not ("get" or "set" or "unset"))
                throw new RepositoryException($"Unknown operation {operation}");
            bool grouped = call.Get(group) is not null;
            if (call.Words.Count < words)
            {
                throw new RepositoryException((operation == "set", grouped) switch
                {
                    (true, true) => "GROUP name, KEY and VALUE must be specified",
                    (true, false) => "KEY and VALUE must be specified",
                    (false, true) => "Group name and key must be specified",
                    (false, false) => "KEY must be specified",
                });
            }
            (string section, string key) = grouped ? (call.Get(group)!, call.Words[1]) : Split(call.Words[1]);
            switch (operation)
            {
                case "get":
                    if (!call.Repo.Config.HasGroup(section))
                        throw new KeyfileException($"Key file does not have group “{section}”");
                    call.Print(call.Repo.Config.GetString(section, key) ?? throw new KeyfileException($"Key file does not have key “{key}” in group “{section}”"));
                    break;
                case "set":
                    KeyFile changed = call.Repo.Config.Clone();
                    changed.SetString(section, key, call.Words[2]);
                    call.Repo.WriteConfig(changed);
                    break;
                default:
                    KeyFile reduced = call.Repo.Config.Clone();
                    if (reduced.RemoveKey(section, key))
                        call.Repo.WriteConfig(reduced);
                    break;
            }
        });
    }

    // The first dot counts: keys may have dots, and groups that have one need --group.
    private static (string Section, string Key) Split(string text)
    {
        int dot = text.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? throw new RepositoryException("Key must be of the form \"sectionname.keyname\"") : (text[..dot], text[(dot + 1)..]);
    }
}
