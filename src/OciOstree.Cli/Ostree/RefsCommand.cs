using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class RefsCommand
{
    public static Command Create()
    {
        var delete = Opts.Flag("--delete", "Delete refs which match PREFIX, rather than listing them");
        var list = Opts.Flag("--list", "Do not remove the prefix from the refs");
        var revision = Opts.Flag("--revision", "Show revisions in listing", "-r");
        var alias = Opts.Flag("--alias", "If used with --create, create an alias, otherwise just list aliases", "-A");
        var create = Opts.Value("--create", "NEWREF", "Create a new ref for an existing commit");
        var collections = Opts.Flag("--collections", "Enable listing collection IDs for refs", "-c");
        var force = Opts.Flag("--force", "Overwrite existing refs when creating");
        return new OstreeVerb("refs", "List refs", "[PREFIX]", "ostree refs --repo=/srv/repo", "ostree refs --repo=/srv/repo --create=stable main")
        {
            delete, list, revision, alias, create, collections, force,
        }.Does((OstreeCall call) =>
        {
            if (call.Words.Count == 0 && call.Get(delete))
                throw new RepositoryException("At least one PREFIX is required when deleting refs");
            if (call.Get(create) is { } newRef)
            {
                if (call.Words.Count == 0)
                    throw new RepositoryException("You must specify a revision when creating a new ref");
                if (call.Words.Count > 1)
                    throw new RepositoryException("You must specify only 1 existing ref when creating a new ref");
                Create(call, newRef, call.Words[0], call.Get(alias), call.Get(collections), call.Get(force));
                return;
            }
            // A repository that lost it has lost refs: better an error than a list that lacks them.
            if (!call.Repo.Root.Exists("refs/remotes"))
                throw new RepositoryException("Listing refs: opendir(refs/remotes): No such file or directory");
            foreach (string? prefix in call.Words.Count == 0 ? [null] : call.Words.Cast<string?>())
            {
                if (call.Get(collections))
                    WithCollections(call, prefix, call.Get(delete), call.Get(revision));
                else if (call.Get(delete))
                    Delete(call, prefix!);
                else if (call.Get(alias))
                    Print(call, call.Repo.ListAliases(prefix), " -> ");
                else if (call.Get(revision))
                    Print(call, Shortened(call.Repo.ListRefs(prefix), call.Get(list) ? null : prefix), "\t");
                else
                    Print(call, Shortened(call.Repo.ListRefNames(prefix).Select(static name => KeyValuePair.Create(name, "")), call.Get(list) ? null : prefix), null);
            }
        });
    }

    private static void Print<T>(OstreeCall call, IEnumerable<KeyValuePair<string, T>> refs, string? separator)
    {
        foreach ((string name, T target) in refs)
            call.Print(separator is null ? name : $"{name}{separator}{target}");
    }

    // Below the directory that was asked for, names are relative to it; the ref of that very name keeps it.
    private static IEnumerable<KeyValuePair<string, T>> Shortened<T>(IEnumerable<KeyValuePair<string, T>> refs, string? prefix)
    {
        if (prefix is null || prefix.EndsWith(':'))
            return refs;
        int colon = prefix.IndexOf(':', StringComparison.Ordinal);
        string remote = prefix[..(colon + 1)];
        return refs.Select(r => r.Key.StartsWith(prefix + "/", StringComparison.Ordinal) ? KeyValuePair.Create(remote + r.Key[(prefix.Length + 1)..], r.Value) : r);
    }

    private static void WithCollections(OstreeCall call, string? collectionId, bool delete, bool revision)
    {
        IReadOnlyDictionary<CollectionRef, Checksum> refs = call.Repo.ListCollectionRefs(collectionId);
        if (delete)
        {
            using RepoTransaction transaction = call.Repo.BeginTransaction();
            foreach (CollectionRef name in refs.Keys)
                transaction.SetCollectionRef(name, null);
            transaction.Commit();
            return;
        }
        foreach ((CollectionRef name, Checksum target) in refs.OrderBy(r => r.Key.CollectionId, StringComparer.Ordinal).ThenBy(r => r.Key.Name, StringComparer.Ordinal))
            call.Print($"({name.CollectionId}, {name.Name})" + (revision ? $"\t{target}" : ""));
    }

    private static void Create(OstreeCall call, string newRef, string target, bool alias, bool collections, bool force)
    {
        bool replacesAlias = alias && call.Repo.ListAliases().ContainsKey(newRef);
        if (!replacesAlias && !force && call.Repo.ResolveRef(newRef, searchRemotes: false) is not null)
            throw new RepositoryException($"--create specified but ref {newRef} already exists");
        using RepoTransaction transaction = call.Repo.BeginTransaction();
        if (collections)
        {
            string[] parts = newRef.Split(':', 2);
            transaction.SetCollectionRef(new CollectionRef(parts[0], parts.Length == 2 ? parts[1] : ""), call.Repo.ResolveRequired(target));
        }
        else if (alias)
        {
            RefSpec spec = RefSpec.Parse(newRef);
            if (spec.Remote is { } remote)
                throw new RepositoryException($"Cannot create alias to remote ref: {remote}");
            if (!call.Repo.ListRefs().ContainsKey(target))
                throw new RepositoryException($"Cannot create alias to non-existent ref: {target}");
            transaction.SetAlias(newRef, target);
        }
        else
        {
            transaction.SetRef(newRef, call.Repo.ResolveRequired(target));
        }
        transaction.Commit();
    }

    private static void Delete(OstreeCall call, string prefix)
    {
        IReadOnlyDictionary<string, string> aliases = call.Repo.ListAliases();
        using RepoTransaction transaction = call.Repo.BeginTransaction();
        foreach (string name in call.Repo.ListRefNames(prefix))
        {
            string local = RefSpec.Parse(name).Name;
            if (aliases.FirstOrDefault(a => a.Value == local).Key is { } alias)
                throw new RepositoryException($"Ref '{local}' has an active alias: '{alias}'");
            transaction.SetRef(name, null);
        }
        transaction.Commit();
    }
}
