using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary><c>kargs</c>: what the kernel is told at the next boot.</summary>
internal static class KargsCommand
{
    public static Command Create()
    {
        var append = Opts.Many("--append", "KEY=VALUE", "Add at the end");
        var appendIfMissing = Opts.Many("--append-if-missing", "KEY=VALUE", "Add at the end unless the key is there");
        var replace = Opts.Many("--replace", "KEY=VALUE", "Change the value of a key that is there once; KEY=OLD=NEW where it is there more often");
        var delete = Opts.Many("--delete", "KEY=VALUE", "Remove; KEY alone where it is there once");
        var deleteIfPresent = Opts.Many("--delete-if-present", "KEY=VALUE", "Remove if it is there");
        var verb = new Verb("kargs", "Show or change the kernel arguments of the next boot", "oci-ostree kargs", "oci-ostree kargs --append=console=ttyS0 --delete=quiet")
        {
            append, appendIfMissing, replace, delete, deleteIfPresent,
        };
        var machine = new MachineSysroot().AddRebootTo(verb);
        return verb.Does(parsed =>
        {
            var changes = new (Option<string[]> Option, Action<KernelArguments, string> Apply)[]
            {
                (delete, (arguments, word) => arguments.Delete(word)),
                (deleteIfPresent, (arguments, word) => arguments.DeleteIfPresent(word)),
                (replace, (arguments, word) => arguments.ReplaceExisting(word)),
                (append, (arguments, word) => arguments.Append(word)),
                (appendIfMissing, (arguments, word) => arguments.AppendIfMissing(word)),
            };
            if (changes.All(change => parsed.GetValue(change.Option)!.Length == 0))
            {
                using var reading = machine.OpenToRead(parsed);
                Console.Out.WriteLine(WithoutOstree(MachineSysroot.Next(reading, machine.Stateroot(reading, parsed)).KernelArguments));
                return;
            }

            using var sysroot = machine.Open(parsed);
            var next = MachineSysroot.Next(sysroot, machine.Stateroot(sysroot, parsed));
            var changed = next.KernelArguments;
            foreach (var (option, apply) in changes)
            {
                foreach (var word in parsed.GetValue(option)!)
                {
                    apply(changed, word);
                }
            }

            if (changed.ToString() == next.KernelArguments.ToString())
            {
                Console.Out.WriteLine("No changes.");
                return;
            }

            if (next.IsStaged)
            {
                sysroot.SetKernelArgumentsInPlace(next, changed);
            }
            else
            {
                sysroot.SetKernelArguments(next, changed.ToList());
            }

            Console.Out.WriteLine($"Kernel arguments of the next boot: {WithoutOstree(changed)}");
            machine.Reboot(sysroot, parsed);
        });
    }

    // Where the root is found is not the owner's to change.
    private static string WithoutOstree(KernelArguments arguments) =>
        string.Join(' ', arguments.ToList().Where(word => !word.StartsWith("ostree=", StringComparison.Ordinal)));
}
