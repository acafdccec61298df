using System.Globalization;
using OciOstree.Formats.Keyfile;

namespace OciOstree.Repository;

/// <summary>What a repository's <c>config</c> says about the store, with ostree's defaults for what it leaves out.</summary>
public sealed record RepoSettings
{
    public required RepoMode Mode { get; init; }

    /// <summary><c>core.fsync</c>: whether a transaction flushes what it wrote before it becomes visible.</summary>
    public bool Fsync { get; init; }

    /// <summary><c>core.per-object-fsync</c>: flush each object by itself, which is slower but kinder to other writers on the disk.</summary>
    public bool PerObjectFsync { get; init; }

    /// <summary><c>core.disable-xattrs</c>: files have no xattrs as far as this repository is concerned.</summary>
    public bool DisableXattrs { get; init; }

    /// <summary><c>core.tombstone-commits</c>: a deleted commit leaves a tombstone.</summary>
    public bool TombstoneCommits { get; init; }

    /// <summary><c>core.tmp-expiry-secs</c>: how old a stray entry of <c>tmp/</c> must be to be removed.</summary>
    public TimeSpan TemporaryExpiry { get; init; }

    /// <summary><c>core.locking</c> and <c>core.lock-timeout-secs</c>: null is no locking at all, infinite waits for ever.</summary>
    public TimeSpan? LockTimeout { get; init; }

    /// <summary><c>archive.zlib-level</c>, 1 to 9.</summary>
    public int CompressionLevel { get; init; }

    /// <summary><c>core.min-free-space-size</c> in bytes; 0 where the percentage decides.</summary>
    public ulong MinFreeSpaceBytes { get; init; }

    /// <summary><c>core.min-free-space-percent</c>, 0 to 99.</summary>
    public int MinFreeSpacePercent { get; init; }

    /// <summary><c>core.collection-id</c>, the identity that refs are published under; null if none.</summary>
    public string? CollectionId { get; init; }

    /// <summary><c>core.parent</c>, the path of a repository that objects are also looked for in; null if none.</summary>
    public string? ParentPath { get; init; }

    /// <summary><c>core.auto-update-summary</c> or its old name <c>commit-update-summary</c>.</summary>
    public bool AutoUpdateSummary { get; init; }

    /// <summary><c>ex-integrity.composefs</c>: whether deployments are to have composefs images.</summary>
    public Tristate Composefs { get; init; }

    /// <summary><c>ex-integrity.fsverity</c>, or by its old name <c>ex-fsverity</c>: whether objects and images are to be protected by fs-verity.</summary>
    public Tristate FsVerity { get; init; }

    /// <summary><c>core.payload-link-threshold</c>: from which size in bytes files of equal content shall share it, where the file system can; mostly from none.</summary>
    public ulong PayloadLinkThreshold { get; init; } = ulong.MaxValue;

    /// <summary><c>oci-ostree.selinux</c>: false lets images and deployments do without the labels of their SELinux policy.</summary>
    public bool Selinux { get; init; } = true;

    /// <summary>Reads the settings of a repository's <c>config</c>.</summary>
    /// <exception cref="RepositoryException">The version is unknown or a value is none that its key may have.</exception>
    public static RepoSettings Read(KeyFile config)
    {
        string version = config.GetString("core", "repo_version") ?? throw new RepositoryException("Key 'repo_version' is missing in group 'core' of the repository's config");
        if (version != "1")
            throw new RepositoryException($"Invalid repository version '{version}'");
        if (Boolean(config, "archive", false))
            throw new RepositoryException("The old \"archive\" repository format is not supported; use archive-z2 instead");
        (ulong bytes, int percent) = MinFreeSpace(config);
        Tristate composefs = Integrity(config, "composefs", Tristate.No);
        return new RepoSettings
        {
            Mode = RepoModes.Parse(config.GetString("core", "mode") ?? "bare"),
            Fsync = Boolean(config, "fsync", true),
            PerObjectFsync = Boolean(config, "per-object-fsync", false),
            DisableXattrs = Boolean(config, "disable-xattrs", false),
            TombstoneCommits = Boolean(config, "tombstone-commits", false),
            TemporaryExpiry = TimeSpan.FromSeconds(Math.Clamp(LeadingNumber(config.GetString("core", "tmp-expiry-secs") ?? "86400"), 0, int.MaxValue)),
            LockTimeout = LockTimeoutOf(config),
            CompressionLevel = (int)Math.Clamp(LeadingNumber(config.GetString("archive", "zlib-level") ?? "6"), 1, 9),
            MinFreeSpaceBytes = bytes,
            MinFreeSpacePercent = percent,
            CollectionId = config.GetString("core", "collection-id"),
            ParentPath = config.GetString("core", "parent") is { Length: > 0 } parent ? parent : null,
            AutoUpdateSummary = Boolean(config, "auto-update-summary", false) || Boolean(config, "commit-update-summary", false),
            Composefs = composefs,
            FsVerity = FsVerityOf(config, composefs),
            PayloadLinkThreshold = Threshold(config.GetString("core", "payload-link-threshold") ?? "-1"),
            Selinux = Boolean(config, "selinux", true, "oci-ostree"),
        };
    }

    private static bool Boolean(KeyFile config, string key, bool otherwise, string group = "core")
    {
        try
        {
            return config.GetBoolean(group, key) ?? otherwise;
        }
        catch (FormatException e)
        {
            throw new RepositoryException($"Reading {group}.{key} of the repository's config", e);
        }
    }

    private static Tristate Integrity(KeyFile config, string key, Tristate otherwise)
    {
        try
        {
            return config.GetTristate("ex-integrity", key) ?? otherwise;
        }
        catch (FormatException e)
        {
            throw new RepositoryException($"Reading ex-integrity.{key} of the repository's config", e);
        }
    }

    private static Tristate FsVerityOf(KeyFile config, Tristate composefs)
    {
        // An image that says what its files must be is worth little if they may be changed unnoticed.
        Tristate wanted = Integrity(config, "fsverity", composefs == Tristate.No ? Tristate.No : Tristate.Maybe);
        return wanted != Tristate.No ? wanted
            : Boolean(config, "required", false, "ex-fsverity") ? Tristate.Yes
            : Boolean(config, "opportunistic", false, "ex-fsverity") ? Tristate.Maybe
            : Tristate.No;
    }

    // As strtoull reads: digits as far as they go, and what is negative is taken from the highest number.
    private static ulong Threshold(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan().TrimStart();
        bool negative = digits.StartsWith("-");
        if (negative || digits.StartsWith("+"))
            digits = digits[1..];
        int end = 0;
        while (end < digits.Length && char.IsAsciiDigit(digits[end]))
            end++;
        if (end == 0)
            return 0;
        return !ulong.TryParse(digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? ulong.MaxValue : negative ? 0 - value : value;
    }

    private static TimeSpan? LockTimeoutOf(KeyFile config)
    {
        if (!Boolean(config, "locking", true))
            return null;
        long seconds = LeadingNumber(config.GetString("core", "lock-timeout-secs") ?? "300");
        // -1 waits for ever, as in ostree; less than that it calls disabled.
        return seconds == -1 ? Timeout.InfiniteTimeSpan : seconds < -1 ? null : TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue));
    }

    private static (ulong Bytes, int Percent) MinFreeSpace(KeyFile config)
    {
        string? size = config.GetString("core", "min-free-space-size"), percent = config.GetString("core", "min-free-space-percent");
        ulong bytes = size is null ? 0 : ParseSize(size);
        if (percent is null)
            return (bytes, size is null ? 3 : 0);
        if (percent.Length == 0 || percent.AsSpan().ContainsAnyExceptInRange('0', '9'))
            throw new RepositoryException($"Invalid min-free-space-percent '{percent}': must be a number");
        if (!int.TryParse(percent, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value > 99)
            throw new RepositoryException($"Invalid min-free-space-percent '{percent}'");
        return (bytes, bytes > 0 ? 0 : value);
    }

    private static ulong ParseSize(string text)
    {
        int shift = text.EndsWith("MB", StringComparison.Ordinal) ? 20 : text.EndsWith("GB", StringComparison.Ordinal) ? 30 : text.EndsWith("TB", StringComparison.Ordinal) ? 40 : 0;
        if (shift == 0 || text.Length < 3 || text.AsSpan(0, text.Length - 2).ContainsAnyExceptInRange('0', '9'))
            throw new RepositoryException($"Invalid min-free-space-size '{text}': It should be of the format '123MB', '123GB' or '123TB'");
        if (!ulong.TryParse(text.AsSpan(0, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) || value > ulong.MaxValue >> shift)
            throw new RepositoryException($"Invalid min-free-space-size '{text}': Value was too high");
        return value << shift;
    }

    // As strtoll reads: digits as far as they go, else 0.
    private static long LeadingNumber(string text)
    {
        ReadOnlySpan<char> rest = text.AsSpan().TrimStart();
        int end = rest.StartsWith("-") || rest.StartsWith("+") ? 1 : 0;
        while (end < rest.Length && char.IsAsciiDigit(rest[end]))
            end++;
        return long.TryParse(rest[..end], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : 0;
    }
}
