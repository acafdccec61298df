using System.CommandLine;
using System.Text;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class CheckoutCommand
{
    private static readonly Option<bool> UserMode = Opts.Flag("--user-mode", "Do not change file ownership or initialize extended attributes", "-U");
    private static readonly Option<bool> DisableCache = Opts.Flag("--disable-cache", "Do not update or use the internal repository uncompressed object cache");
    private static readonly Option<string?> Subpath = Opts.Value("--subpath", "PATH", "Checkout sub-directory PATH");
    private static readonly Option<bool> Union = Opts.Flag("--union", "Keep existing directories, overwrite existing files");
    private static readonly Option<bool> UnionAdd = Opts.Flag("--union-add", "Keep existing files/directories, only add new");
    private static readonly Option<bool> UnionIdentical = Opts.Flag("--union-identical", "When layering checkouts, error out if a file would be replaced with a different version, but add new files and directories");
    private static readonly Option<bool> Whiteouts = Opts.Flag("--whiteouts", "Process 'whiteout' (Docker style) entries");
    private static readonly Option<bool> Passthrough = Opts.Flag("--process-passthrough-whiteouts", "Enable overlayfs whiteout extraction into char 0:0 devices");
    private static readonly Option<bool> AllowMissing = Opts.Flag("--allow-noent", "Do nothing if specified path does not exist");
    private static readonly Option<bool> FromStdin = Opts.Flag("--from-stdin", "Process many checkouts from standard input");
    private static readonly Option<string?> FromFile = Opts.Value("--from-file", "FILE", "Process many checkouts from input file");
    private static readonly Option<string?> Fsync = Opts.Value("--fsync", "POLICY", "Specify how to invoke fsync()");
    private static readonly Option<bool> RequireLinks = Opts.Flag("--require-hardlinks", "Do not fall back to full copies if hardlinking fails", "-H");
    private static readonly Option<bool> CopyEmpty = Opts.Flag("--force-copy-zerosized", "Do not hardlink zero-sized files", "-z");
    private static readonly Option<bool> ForceCopy = Opts.Flag("--force-copy", "Never hardlink (but may reflink if available)", "-C");
    private static readonly Option<bool> BareUserOnlyDirectories = Opts.Flag("--bareuseronly-dirs", "Suppress mode bits outside of 0775 for directories (suid, world writable, etc.)", "-M");
    private static readonly Option<string?> SkipList = Opts.Value("--skip-list", "FILE", "File containing list of files to skip");

    private static readonly Option<string?> Policy = Opts.Value("--selinux-policy", "PATH", "Set SELinux labels based on policy in root filesystem PATH (may be /); implies --force-copy");
    private static readonly Option<string?> LabelPrefix = Opts.Value("--selinux-prefix", "PREFIX", "When setting SELinux labels, prefix all paths by PREFIX");
    private static readonly Option<bool> Image = Opts.Flag("--composefs", "Only create a composefs blob");
    private static readonly Option<bool> ImageNoVerity = Opts.Flag("--composefs-noverity", "Only create a composefs blob, and disable fsverity");

    public static Command Create()
    {
        // Empty files are never linked here, so this asks for what is so anyway; scripts pass it.
        CopyEmpty.Hidden = true;
        return new OstreeVerb("checkout", "Check out a commit into a filesystem tree", "COMMIT [DESTINATION]", "ostree checkout --repo=/srv/repo -U main rootfs",
            "ostree checkout --repo=/srv/repo --composefs main main.cfs")
        {
            UserMode, DisableCache, Subpath, Union, UnionAdd, UnionIdentical, Whiteouts, Passthrough, AllowMissing, FromStdin, FromFile, Fsync, RequireLinks, CopyEmpty, ForceCopy,
            BareUserOnlyDirectories, SkipList, Policy, LabelPrefix, Image, ImageNoVerity,
        }.Does(Run);
    }

    private static void Run(OstreeCall call)
    {
        call.Need(1, "COMMIT must be specified");
        if (call.Get(Image) || call.Get(ImageNoVerity))
        {
            WriteImage(call);
            return;
        }
        CheckoutOptions options = ReadOptions(call);
        using SePolicy? policy = call.Get(Policy) is { } root ? LoadPolicy(root) : null;
        if (policy is not null)
            options = options with { Labeler = policy.Label, LabelPrefix = call.Get(LabelPrefix) };
        if (call.Get(FromStdin) || call.Get(FromFile) is not null)
        {
            RunMany(call, options);
            return;
        }
        Checksum commit = call.Repo.ResolveRequired(call.Words[0]);
        CheckOut(call.Repo, commit, call.Words.Count > 1 ? call.Words[1] : call.Words[0], options);
    }

    private static CheckoutOptions ReadOptions(OstreeCall call)
    {
        (bool union, bool add, bool identical) = (call.Get(Union), call.Get(UnionAdd), call.Get(UnionIdentical));
        if (union && add)
            throw new RepositoryException("Cannot specify both --union and --union-add");
        if (union && identical)
            throw new RepositoryException("Cannot specify both --union and --union-identical");
        if (add && identical)
            throw new RepositoryException("Cannot specify both --union-add and --union-identical");
        bool copy = call.Get(ForceCopy) || call.Get(Policy) is not null;
        if (call.Get(RequireLinks) && copy)
            throw new RepositoryException("Cannot specify both --require-hardlinks and --force-copy");
        if (call.Get(LabelPrefix) is not null && call.Get(Policy) is null)
            throw new RepositoryException("Cannot specify --selinux-prefix without --selinux-policy");
        if (identical && !call.Get(RequireLinks))
            throw new RepositoryException("--union-identical requires --require-hardlinks");
        HashSet<string>? skips = call.Get(SkipList) is { } file ? [.. SkipListFile.Read(file)] : null;
        return new CheckoutOptions
        {
            UserMode = call.Get(UserMode),
            Overwrite = union ? OverwriteMode.Union : add ? OverwriteMode.UnionAdd : identical ? OverwriteMode.UnionIdentical : OverwriteMode.None,
            Subpath = call.Get(Subpath),
            AllowMissing = call.Get(AllowMissing),
            ForceCopy = copy,
            // As in ostree, any of its younger options does without the cache.
            UncompressedCache = !(call.Get(DisableCache) || call.Get(Whiteouts) || call.Get(RequireLinks) || add || identical || copy || call.Get(CopyEmpty)
                || call.Get(BareUserOnlyDirectories) || skips is not null || call.Get(Passthrough)),
            RequireHardLinks = call.Get(RequireLinks),
            Whiteouts = call.Get(Whiteouts),
            PassthroughWhiteouts = call.Get(Passthrough),
            BareUserOnlyDirectories = call.Get(BareUserOnlyDirectories),
            Fsync = call.Has(Fsync) && !FsyncPolicy.IsOff(call.Get(Fsync)),
            Filter = skips is null ? null : path => !skips.Contains(path),
        };
    }

    private static SePolicy? LoadPolicy(string path)
    {
        try
        {
            using LinuxDirectory root = LinuxDirectory.Open(path);
            return SePolicy.Load(root);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"selinux-policy: opendir({path}): {ErrorText.Of(e)}");
        }
    }

    // Pairs of a commit and a path in it, each ended by a zero byte; an empty commit ends the list.
    private static void RunMany(OstreeCall call, CheckoutOptions options)
    {
        using Stream stream = call.Get(FromFile) is { } path && !call.Get(FromStdin) ? File.OpenRead(path) : Console.OpenStandardInput();
        using var reader = new StreamReader(stream, new UTF8Encoding(false));
        string[] fields = reader.ReadToEnd().Split('\0');
        for (int i = 0; i + 1 < fields.Length && fields[i].Length > 0; i += 2)
        {
            Checksum commit = call.Repo.ResolveRequired(fields[i]);
            try
            {
                CheckOut(call.Repo, commit, call.Words[0], options with { Subpath = fields[i + 1] });
            }
            catch (RepositoryException e)
            {
                throw new RepositoryException($"Processing tree {commit}", e);
            }
        }
    }

    private static void WriteImage(OstreeCall call)
    {
        // An image is all of a commit as it is: what would change or choose something on the way has no say.
        if (call.Get(DisableCache) || call.Get(Whiteouts) || call.Get(RequireLinks) || call.Get(UnionAdd) || call.Get(ForceCopy) || call.Get(CopyEmpty)
            || call.Get(BareUserOnlyDirectories) || call.Get(UnionIdentical) || call.Get(SkipList) is not null || call.Get(Policy) is not null
            || call.Get(LabelPrefix) is not null || call.Get(Passthrough) || call.Get(Subpath) is not null || call.Get(FromStdin) || call.Get(FromFile) is not null)
            throw new RepositoryException("Specified options are incompatible with --composefs");
        Checksum commit = call.Repo.ResolveRequired(call.Words[0]);
        (string parent, string name) = Split(call.Words.Count > 1 ? call.Words[1] : call.Words[0]);
        using LinuxDirectory directory = OpenParent(parent, $"open({parent})");
        Composefs.Write(call.Repo, commit, directory, name, call.Get(ImageNoVerity) ? ComposefsVerity.None : ComposefsVerity.All, Entry.Cancellation);
    }

    private static (string Parent, string Name) Split(string destination)
    {
        string trimmed = destination.TrimEnd('/');
        int slash = trimmed.LastIndexOf('/');
        return (slash < 0 ? "." : slash == 0 ? "/" : trimmed[..slash], trimmed.Length == 0 ? "." : trimmed[(slash + 1)..]);
    }

    private static LinuxDirectory OpenParent(string parent, string call)
    {
        try
        {
            return LinuxDirectory.Open(parent);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"{call}: {ErrorText.Of(e)}");
        }
    }

    private static void CheckOut(Repo repo, Checksum commit, string destination, CheckoutOptions options)
    {
        (string parent, string name) = Split(destination);
        using LinuxDirectory directory = OpenParent(parent, "mkdirat");
        if (options.Overwrite == OverwriteMode.None && options.Subpath is null && directory.Exists(name))
            throw new RepositoryException("mkdirat: File exists");
        Checkout.Run(repo, commit, directory, name, options, Entry.Cancellation);
    }
}
