using System.CommandLine;

namespace OciOstree.Cli.Admin;

internal static class InitFsCommand
{
    public static Command Create()
    {
        var path = Opts.Optional("PATH", "An existing directory, such as a mounted empty file system");
        var modern = Opts.Flag("--modern", "Only create /boot and /ostree");
        var epoch = Opts.Number("--epoch", "EPOCH", "An integer value, defines initial state.  Must be in the range [0-2], inclusive.", "-E");
        return new Verb("init-fs", "Initialize a root filesystem", "ostree admin init-fs --epoch=1 /mnt") { path, modern, epoch }.Takes("PATH").Does(parsed =>
        {
            var chosen = parsed.GetValue(epoch) ?? 0;
            Sysroot.Sysroot.Initialize(
                parsed.GetValue(path) ?? throw new UsageException("PATH must be specified"),
                (int)(chosen == 0 && parsed.GetValue(modern) ? 1 : Math.Clamp(chosen, int.MinValue, int.MaxValue)));
        });
    }
}
