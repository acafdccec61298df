using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class CreateUsbCommand
{
    public static Command Create()
    {
        var disableFsync = Opts.Flag("--disable-fsync", "Do not invoke fsync()");
        var place = Opts.Value("--destination-repo", "DEST", "Use custom repository directory within the mount");
        var commit = Opts.Value("--commit", "COMMIT", "Pull a specific commit (only works when a single ref is specified)");
        return new OstreeVerb("create-usb", "Copy the refs to a USB stick", "MOUNT-PATH COLLECTION-ID REF [COLLECTION-ID REF...]",
            "ostree create-usb --repo=/ostree/repo /run/media/me/stick org.example.Os os/stable")
        {
            disableFsync, place, commit,
        }.Does((OstreeCall call) =>
        {
            Repo source = call.Repo;
            call.Need(1, "A MOUNT-PATH must be specified");
            List<CollectionRef> refs = CollectionRefWords.Parse(call, 1);
            if (call.Get(commit) is not null && refs.Count > 1)
                throw new UsageException("The --commit option can only be used when a single COLLECTION-ID REF pair is specified", withHelp: true);
            string root = call.Words[0], destination = call.Get(place) ?? OfflineMedium.DefaultPlace;
            Checksum? asked = call.Get(commit) is { } text ? Checksum.Parse(text) : null;
            using LinuxDirectory mount = LinuxDirectory.Open(root);
            using Repo medium = OfflineMedium.Open(root, destination);
            FileStatus there = medium.Root.Status(), here = source.Root.Status();
            if (there.Device != mount.Status().Device)
                throw new UsageException("--destination-repo must be a descendent of MOUNT-PATH", withHelp: true);
            if ((there.Device, there.Inode) == (here.Device, here.Inode))
                throw new UsageException("--destination-repo must not be the source repository", withHelp: true);
            if (call.Get(disableFsync))
                medium.DisableFsync();
            using (PullProgress progress = new(0))
                OfflineMedium.Write(source, medium, root, destination, [.. refs.Select(r => KeyValuePair.Create(r, asked))], progress.Report, Entry.Cancellation);
            call.Print($"Copied {refs.Count}/{refs.Count} refs successfully from ‘{Path.GetFullPath(source.Path)}’ to ‘{destination}’ repository in ‘{root}’.");
        });
    }
}
