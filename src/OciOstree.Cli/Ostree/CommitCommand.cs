using System.CommandLine;
using System.Globalization;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class CommitCommand
{
    private static readonly Option<string?> Parent = Opts.Value("--parent", "COMMIT", "Parent commit checksum, or \"none\"");
    private static readonly Option<string?> Subject = Opts.Value("--subject", "SUBJECT", "One line subject", "-s");
    private static readonly Option<string?> Body = Opts.Value("--body", "BODY", "Full description", "-m");
    private static readonly Option<string?> BodyFile = Opts.Value("--body-file", "FILE", "Commit message from FILE path", "-F");
    private static readonly Option<bool> Editor = Opts.Flag("--editor", "Use an editor to write the commit message", "-e");
    private static readonly Option<string?> Branch = Opts.Value("--branch", "BRANCH", "Branch", "-b");
    private static readonly Option<bool> Orphan = Opts.Flag("--orphan", "Create a commit without writing a ref");
    private static readonly Option<bool> NoBindings = Opts.Flag("--no-bindings", "Do not write any ref bindings");
    private static readonly Option<string[]> BindRefs = Opts.Many("--bind-ref", "BRANCH", "Add a ref to ref binding commit metadata");
    private static readonly Option<string?> Base = Opts.Value("--base", "REV", "Start from the given commit as a base (no modifiers apply)");
    private static readonly Option<string[]> Trees = Opts.Many("--tree", "dir=PATH or tar=TARFILE or ref=COMMIT", "Overlay the given argument as a tree");
    private static readonly Option<string[]> MetadataStrings = Opts.Many("--add-metadata-string", "KEY=VALUE", "Add a key/value pair to metadata");
    private static readonly Option<string[]> MetadataVariants = Opts.Many("--add-metadata", "KEY=VALUE", "Add a key/value pair to metadata, where the KEY is a string, and VALUE is in GVariant Text Format");
    private static readonly Option<string[]> KeepMetadata = Opts.Many("--keep-metadata", "KEY", "Keep metadata KEY and its associated VALUE from parent");
    private static readonly Option<string[]> DetachedStrings = Opts.Many("--add-detached-metadata-string", "KEY=VALUE", "Add a key/value pair to detached metadata");
    private static readonly Option<long?> OwnerUid = Opts.Number("--owner-uid", "UID", "Set file ownership user id");
    private static readonly Option<long?> OwnerGid = Opts.Number("--owner-gid", "GID", "Set file ownership group id");
    private static readonly Option<bool> Canonical = Opts.Flag("--canonical-permissions", "Canonicalize permissions in the same way bare-user does for hardlinked files");
    private static readonly Option<bool> Bootable = Opts.Flag("--bootable", "Flag this commit as a bootable OSTree (e.g. contains a Linux kernel)");
    private static readonly Option<bool> ReadOnlyExecutables = Opts.Flag("--mode-ro-executables", "Ensure executable files are not writable");
    private static readonly Option<bool> NoXattrs = Opts.Flag("--no-xattrs", "Do not import extended attributes");
    private static readonly Option<bool> LinkCheckout = Opts.Flag("--link-checkout-speedup", "Optimize for commits of trees composed of hardlinks into the repository");
    private static readonly Option<bool> DevInoCanonical = Opts.Flag("--devino-canonical", "Assume hardlinked objects are unmodified.  Implies --link-checkout-speedup", "-I");
    private static readonly Option<bool> TarParents = Opts.Flag("--tar-autocreate-parents", "When loading tar archives, automatically create parent directories as needed");
    private static readonly Option<string?> TarFilter = Opts.Value("--tar-pathname-filter", "REGEX,REPLACEMENT", "When loading tar archives, use REGEX,REPLACEMENT against path names");
    private static readonly Option<bool> SkipUnchanged = Opts.Flag("--skip-if-unchanged", "If the contents are unchanged from previous commit, do nothing");
    private static readonly Option<string?> StatOverrides = Opts.Value("--statoverride", "PATH", "File containing list of modifications to make to permissions");
    private static readonly Option<string?> SkipList = Opts.Value("--skip-list", "PATH", "File containing list of files to skip");
    private static readonly Option<bool> Consume = Opts.Flag("--consume", "Consume (delete) content after commit (for local directories)");
    private static readonly Option<bool> TableOutput = Opts.Flag("--table-output", "Output more information in a KEY: VALUE format");
    private static readonly Option<bool> GenerateSizes = Opts.Flag("--generate-sizes", "Generate size information along with commit metadata");
    private static readonly Option<bool> ComposefsMetadata = Opts.Flag("--generate-composefs-metadata", "Generate composefs commit metadata");
    private static readonly Option<bool> DisableFsync = Hidden(Opts.Flag("--disable-fsync", "Do not invoke fsync()"));
    private static readonly Option<string?> Fsync = Opts.Value("--fsync", "POLICY", "Specify how to invoke fsync()");
    private static readonly Option<string?> Timestamp = Opts.Value("--timestamp", "TIMESTAMP", "Override the timestamp of the commit");

    public static Command Create() =>
        new OstreeVerb("commit", "Commit a new revision", "[PATH]",
            "ostree commit --repo=/srv/repo -b main -s 'Update bash' /srv/rootfs",
            "ostree commit --repo=/srv/repo -b main --tree=ref=base --tree=tar=extra.tar.gz --owner-uid=0 --owner-gid=0",
            "ostree commit --repo=/srv/repo -b main --bootable --generate-composefs-metadata --sign-type=ed25519 --sign-from-file=key /srv/rootfs")
        {
            Parent, Subject, Body, BodyFile, Editor, Branch, Orphan, NoBindings, BindRefs, Base, Trees, MetadataStrings, MetadataVariants, KeepMetadata, DetachedStrings,
            OwnerUid, OwnerGid, Canonical, Bootable, ReadOnlyExecutables, NoXattrs, LinkCheckout, DevInoCanonical, TarParents, TarFilter, SkipUnchanged,
            StatOverrides, SkipList, Consume, TableOutput, GenerateSizes, ComposefsMetadata, DisableFsync, Fsync, Timestamp, SigningOptions.GpgKeys, SigningOptions.GpgHome, SigningOptions.Keys, SigningOptions.KeyFiles, SigningOptions.Type, CommitLabels.Policy, CommitLabels.FromBase, CommitLabels.Epoch,
        }.Does(Run);

    private static void Run(OstreeCall call)
    {
        Repo repo = call.Repo;
        // Files that say what to change are read before anything is done.
        CommitModifier modifier = ReadModifier(call);
        if (call.Get(Branch) is null && !call.Get(Orphan))
            throw new RepositoryException("A branch must be specified with --branch, or use --orphan");
        Checksum? parent = FindParent(call);
        string[] keep = call.Get(KeepMetadata)!;
        if (parent is null && keep.Length > 0)
            throw new RepositoryException("Either --branch or --parent must be specified when using --keep-metadata");
        List<KeyValuePair<string, Variant>> metadata = [.. KeyValues(call.Get(MetadataStrings)!, Variant.String), .. KeyValues(call.Get(MetadataVariants)!, text => Variant.Parse(text))];
        foreach (string key in keep)
        {
            metadata.Add(KeyValuePair.Create(key, repo.ReadCommit(parent!.Value).Metadata.Lookup(key)
                ?? throw new RepositoryException($"Missing metadata key '{key}' from commit '{parent}'")));
        }
        KeyValuePair<string, Variant>[] detached = KeyValues(call.Get(DetachedStrings)!, Variant.String).ToArray();
        CheckConflicts(call);
        (string? subject, string? body) = (call.Get(Subject), call.Get(Body));
        if (call.Get(Editor))
            (subject, body) = CommitEditor.Ask(call.Get(Branch), subject);
        else if (call.Get(BodyFile) is { } bodyFile)
            body = NamedFile.ReadText(bodyFile);
        ulong? timestamp = call.Get(Timestamp) is { } text ? (ulong)DateText.Parse(text, DateTimeOffset.Now) : null;
        if (call.Get(DisableFsync) || FsyncPolicy.IsOff(call.Get(Fsync)))
            repo.DisableFsync();

        SigningKeys signingKeys = SigningOptions.Read(call);
        using var labels = new CommitLabels(call, modifier);
        using RepoTransaction transaction = repo.BeginTransaction();
        var tree = new MutableTree();
        if (call.Get(Base) is { } start)
        {
            Checksum baseCommit = repo.ResolveRequired(start);
            tree = MutableTree.FromCommit(repo, baseCommit);
            labels.TakeFromCommit(baseCommit);
        }
        bool modified = HasModifier(call, repo);
        var writer = new TreeWriter(transaction, tree, modified ? modifier : null, Entry.Cancellation);
        string[] trees = call.Get(Trees)!;
        foreach (string specification in trees.Length > 0 ? trees : [$"dir={(call.Words.Count > 0 ? call.Words[0] : ".")}"])
            AddTree(call, writer, labels, specification);
        if (modified)
            CheckAllMatched(modifier);
        Checksum root = tree.Write(transaction);
        Checksum rootMeta = tree.Metadata ?? throw new RepositoryException("Can't commit an empty tree");

        if (call.Get(SkipUnchanged) && parent is { } before && repo.ReadCommit(before) is { } old && old.RootTree == root && old.RootMeta == rootMeta)
        {
            Tell(call, before, new TransactionStats(), writer);
            return;
        }
        Commit commit = new CommitDraft
        {
            Metadata = metadata,
            BoundRefs = call.Get(NoBindings) ? null : call.Get(Branch) is { } bound ? [bound, .. call.Get(BindRefs)!] : call.Get(BindRefs)!,
            Bootable = call.Get(Bootable),
            ComposefsDigest = call.Get(ComposefsMetadata),
            Parent = parent,
            Subject = subject ?? "",
            Body = body ?? "",
            Timestamp = timestamp ?? DateText.Now(),
        }.Build(transaction, tree, Entry.Cancellation);
        // They are of compressed objects: elsewhere there are none to be had, and ostree writes none.
        if (call.Get(GenerateSizes) && repo.Mode == RepoMode.Archive)
            commit = commit with { Metadata = CommitSizes.Add(repo, commit) };
        Checksum checksum = transaction.WriteCommit(commit);
        if (signingKeys.AddTo(detached.Length > 0 ? Variant.Dictionary(detached) : null, commit.Serialize()) is { } commitMeta)
            transaction.WriteCommitMeta(checksum, commitMeta);
        if (call.Get(Branch) is { } branch)
            transaction.SetRef(branch, checksum);
        Tell(call, checksum, transaction.Commit(), writer);
    }

    private static void Tell(OstreeCall call, Checksum checksum, TransactionStats stats, TreeWriter writer)
    {
        if (!call.Get(TableOutput))
        {
            call.Print(checksum.ToString());
            return;
        }
        call.Print($"Commit: {checksum}");
        call.Print($"Metadata Total: {stats.MetadataTotal}");
        call.Print($"Metadata Written: {stats.MetadataWritten}");
        call.Print($"Content Total: {stats.ContentTotal}");
        call.Print($"Content Written: {stats.ContentWritten}");
        call.Print($"Content Cache Hits: {writer.CacheHits}");
        call.Print($"Content Bytes Written: {stats.ContentBytesWritten}");
    }

    private static Checksum? FindParent(OstreeCall call)
    {
        if (call.Get(Parent) is { } given)
            return given == "none" ? null : Checksum.TryParse(given, out Checksum parsed) ? parsed : throw new RepositoryException($"Invalid rev {given}");
        return call.Get(Orphan) ? null : call.Repo.ResolveRef(call.Get(Branch)!);
    }

    private static bool HasModifier(OstreeCall call, Repo repo) =>
        repo.Mode == RepoMode.BareUserOnly || call.Get(Canonical) || call.Get(NoXattrs) || call.Get(Consume) || call.Get(DevInoCanonical) || call.Get(LinkCheckout)
        || call.Get(OwnerUid) >= 0 || call.Get(OwnerGid) >= 0 || call.Get(ReadOnlyExecutables) || call.Get(StatOverrides) is not null || call.Get(SkipList) is not null
        || CommitLabels.Wanted(call);

    private static CommitModifier ReadModifier(OstreeCall call) => new()
    {
        OwnerUid = (uint?)NotNegative(call.Get(OwnerUid)),
        OwnerGid = (uint?)NotNegative(call.Get(OwnerGid)),
        CanonicalPermissions = call.Get(Canonical),
        SkipXattrs = call.Get(NoXattrs),
        ReadOnlyExecutables = call.Get(ReadOnlyExecutables),
        Consume = call.Get(Consume),
        DevInoCache = call.Get(LinkCheckout) || call.Get(DevInoCanonical) ? DevInoCache.Scan(call.Repo) : null,
        TrustDevInoCache = call.Get(DevInoCanonical),
        StatOverrides = call.Get(StatOverrides) is { } overrides ? StatOverride.ParseFile(NamedFile.ReadText(overrides)) : new Dictionary<string, StatOverride>(),
        SkipList = call.Get(SkipList) is { } skips ? SkipListFile.Read(skips) : [],
    };

    private static long? NotNegative(long? id) => id is >= 0 and <= uint.MaxValue ? id : null;

    private static void CheckConflicts(OstreeCall call)
    {
        if (call.Get(Canonical) && call.Get(OwnerUid) > 0)
            throw new RepositoryException("Cannot specify both --canonical-permissions and non-zero --owner-uid");
        if (call.Get(Canonical) && call.Get(OwnerGid) > 0)
            throw new RepositoryException("Cannot specify both --canonical-permissions and non-zero --owner-gid");
        CommitLabels.Check(call);
    }

    private static void CheckAllMatched(CommitModifier modifier)
    {
        string[] overrides = modifier.UnmatchedStatOverrides.ToArray();
        foreach (string path in overrides)
            Console.Error.WriteLine($"Unmatched statoverride path: {path}");
        if (overrides.Length > 0)
            throw new RepositoryException("Unmatched statoverride paths");
        string[] skips = modifier.UnmatchedSkips.ToArray();
        foreach (string path in skips)
            Console.Error.WriteLine($"Unmatched skip-list path: {path}");
        if (skips.Length > 0)
            throw new RepositoryException("Unmatched skip-list paths");
    }

    private static IEnumerable<KeyValuePair<string, Variant>> KeyValues(IEnumerable<string> texts, Func<string, Variant> parse)
    {
        foreach (string text in texts)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
                throw new RepositoryException($"Missing '=' in KEY=VALUE metadata '{text}'");
            Variant value;
            try
            {
                value = parse(text[(equals + 1)..]);
            }
            catch (VariantException e)
            {
                throw new RepositoryException($"Parsing {text}", e);
            }
            yield return KeyValuePair.Create(text[..equals], value);
        }
    }

    private static void AddTree(OstreeCall call, TreeWriter writer, CommitLabels labels, string specification)
    {
        int equals = specification.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            throw new RepositoryException($"Missing type in tree specification '{specification}'");
        string source = specification[(equals + 1)..];
        labels.TakeFromTree(specification[..equals], source);
        switch (specification[..equals])
        {
            case "dir":
                try
                {
                    using LinuxDirectory directory = LinuxDirectory.Open(source);
                    writer.AddDirectory(directory);
                    // The tree is consumed with its root, unless that is where we stand.
                    if (call.Get(Consume) && Path.GetFullPath(source) != Environment.CurrentDirectory)
                        Directory.Delete(source);
                }
                catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR && !Directory.Exists(source))
                {
                    throw new RepositoryException($"opendir({source}): {ErrorText.Of(e)}");
                }
                break;
            case "tar":
                var options = new TarCommitOptions
                {
                    AutocreateParents = call.Get(TarParents),
                    TranslatePath = call.Get(TarFilter) is { } filter ? TarCommitOptions.ParsePathFilter(filter) : null,
                };
                using (Stream archive = OpenArchive(source))
                    writer.AddTar(archive, options);
                break;
            case "ref":
                writer.AddCommit(call.Repo.ResolveRequired(source));
                break;
            default:
                throw new RepositoryException($"Invalid tree type specification '{specification[..equals]}'");
        }
    }

    private static Stream OpenArchive(string path)
    {
        if (path == "-")
            return Console.OpenStandardInput();
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RepositoryException($"archive_read_open_filename: Failed to open '{Path.GetFullPath(path)}'");
        }
    }

    private static Option<bool> Hidden(Option<bool> option)
    {
        option.Hidden = true;
        return option;
    }
}
