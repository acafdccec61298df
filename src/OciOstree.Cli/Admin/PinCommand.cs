using System.CommandLine;
using System.Globalization;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

internal static class PinCommand
{
    public static Command Create()
    {
        var unpin = Opts.Flag("--unpin", "Unset pin", "-u");
        var which = Opts.Rest("INDEX", "Indices, or booted, pending, rollback");
        return new Verb("pin", "Change the \"pinning\" state of a deployment, INDEX can be >= 0 or one of booted, pending or rollback strings", "ostree admin pin booted")
        {
            which, unpin,
        }.Takes("INDEX").ChangesSysroot((sysroot, parsed) =>
        {
            var words = parsed.GetValue(which)!;
            if (words.Length == 0)
            {
                throw new UsageException("INDEX must be specified");
            }

            var pin = !parsed.GetValue(unpin);
            foreach (var word in words)
            {
                var index = IndexOf(sysroot, word);
                var changed = sysroot.SetPinned(sysroot.DeploymentAt(index), pin);
                Console.Out.WriteLine($"Deployment {index} is {(changed ? "now" : "already")} {(pin ? "pinned" : "unpinned")}");
            }
        });
    }

    /// <summary>A place in the boot order by number or by name.</summary>
    public static int IndexOf(Sysroot.Sysroot sysroot, string word)
    {
        if (word is "booted" or "pending" or "rollback")
        {
            var (pending, rollback) = sysroot.Booted is { } booted ? sysroot.QueryDeployments(booted.Stateroot) : default;
            var named = word switch { "booted" => sysroot.Booted, "pending" => pending, _ => rollback };
            return named?.Index ?? throw new SysrootException($"Deployment type not found: {word}");
        }

        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index
            : word.Length > 0 && word.All(char.IsAsciiDigit) ? throw new SysrootException($"Index too large: {word}")
            : throw new SysrootException($"Invalid index: {word}");
    }
}
