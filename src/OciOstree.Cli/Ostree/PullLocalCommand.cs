using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class PullLocalCommand
{
    public static Command Create()
    {
        var commitsOnly = Opts.Flag("--commit-metadata-only", "Fetch only the commit metadata");
        var remote = Opts.Value("--remote", "REMOTE", "Add REMOTE to refspec");
        var disableFsync = Opts.Flag("--disable-fsync", "Do not invoke fsync()");
        var perObjectFsync = Opts.Flag("--per-object-fsync", "Perform writes in such a way that avoids stalling concurrent processes");
        var untrusted = Opts.Flag("--untrusted", "Verify checksums of local sources (always enabled for HTTP pulls)");
        var bareUserOnly = Opts.Flag("--bareuseronly-files", "Reject regular files with mode outside of 0775 (world writable, suid, etc.)");
        var noDeltas = Opts.Flag("--disable-static-deltas", "Do not use static deltas");
        var onlyDeltas = Opts.Flag("--require-static-deltas", "Require static deltas");
        var noBindings = Opts.Flag("--disable-verify-bindings", "Do not verify commit bindings");
        var depth = Opts.Number("--depth", "DEPTH", "Traverse DEPTH parents (-1=infinite) (default: 0)");
        var gpgVerify = Opts.Flag("--gpg-verify", "GPG verify commits (must specify --remote)");
        var gpgVerifySummary = Opts.Flag("--gpg-verify-summary", "GPG verify summary (must specify --remote)");
        return new OstreeVerb("pull-local", "Copy data from SRC_REPO", "SRC_REPO [REFS...]", "ostree pull-local --repo=/srv/repo /mnt/usb/repo main")
        {
            commitsOnly, remote, disableFsync, perObjectFsync, untrusted, bareUserOnly, onlyDeltas, noDeltas, noBindings, gpgVerify, gpgVerifySummary, depth,
        }.Does((OstreeCall call) =>
        {
            Repo destination = call.Repo;
            call.Need(1, "DESTINATION must be specified");
            if (call.Get(disableFsync))
                destination.DisableFsync();
            if (call.Get(perObjectFsync))
                destination.EnablePerObjectFsync();
            using Repo source = OstreeCall.Open(call.Words[0]);
            RemoteSignatures? signatures = null;
            if (call.Get(gpgVerify) || call.Get(gpgVerifySummary))
            {
                signatures = RemoteSignatures.OpenPgpOnly(destination, call.Get(remote) ?? throw new RepositoryException("Must specify --remote to know whose signatures are trusted"), call.Get(gpgVerify), call.Get(gpgVerifySummary));
                signatures.VerifySummary(source.Root.TryReadAllBytes(RepoSummary.FileName, 256 << 20), source.Root.TryReadAllBytes(RepoSummary.SignatureFileName, 256 << 20));
            }
            if (call.Get(noDeltas) && call.Get(onlyDeltas))
                throw new UsageException("Cannot specify both --disable-static-deltas and --require-static-deltas", withHelp: true);
            LocalPullOptions options = new()
            {
                Refs = call.Words.Count > 1 ? call.Words.Skip(1).ToArray() : null,
                Remote = call.Get(remote),
                Depth = (int)(call.Get(depth) ?? 0),
                CommitsOnly = call.Get(commitsOnly),
                Untrusted = call.Get(untrusted),
                Damaged = Failure.Warn,
                BareUserOnlyFiles = call.Get(bareUserOnly),
                IgnoreBindings = call.Get(noBindings),
                VerifyCommit = signatures is { CoverCommits: true } ? (checksum, bytes, metadata) => signatures.VerifyCommit(checksum, bytes.Span, metadata) : null,
            };
            call.Print(call.Get(onlyDeltas)
                ? PullText.Of(LocalPull.RunByDeltas(source, destination, options, Entry.Cancellation))
                : PullText.Of(LocalPull.Run(source, destination, options, Entry.Cancellation)));
        });
    }
}
