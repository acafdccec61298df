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
        var editor = Opts.Flag("--editor", "Change them in an editor (VISUAL, else EDITOR, else vi)");
        var import = Opts.Flag("--import-proc-cmdline", "Go on from what the running kernel was told");
        var index = Opts.Number("--deploy-index", "INDEX", "Work on this deployment instead of the next to boot, as `status --json` numbers it");
        var locked = Opts.Flag("--lock-finalization", "Let no boot use them until `ostree admin lock-finalization --unlock`");
        var unchanged = Opts.Flag("--unchanged-exit-77", "Exit with 77 if nothing changed");
        var json = Opts.Flag("--json", "Print them as JSON");
        var verb = new Verb("kargs", "Show or change the kernel arguments of the next boot", "oci-ostree kargs", "oci-ostree kargs --append=console=ttyS0 --delete=quiet", "oci-ostree kargs --editor")
        {
            append, appendIfMissing, replace, delete, deleteIfPresent, editor, import, index, locked, unchanged, json,
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
            var asked = changes.Any(change => parsed.GetValue(change.Option)!.Length > 0);
            if (asked && parsed.GetValue(editor))
            {
                throw new UsageException("--editor goes with no other change");
            }

            if (!asked && !parsed.GetValue(editor) && !parsed.GetValue(import))
            {
                using var reading = machine.OpenToRead(parsed);
                Print(Target(reading).KernelArguments, parsed.GetValue(json), "");
                return ExitCodes.Ok;
            }

            using var sysroot = machine.Open(parsed);
            var target = Target(sysroot);
            var changed = parsed.GetValue(import) ? KernelArguments.FromProcCommandLine() : target.KernelArguments;
            foreach (var (option, apply) in changes)
            {
                foreach (var word in parsed.GetValue(option)!)
                {
                    apply(changed, word);
                }
            }

            if (parsed.GetValue(editor))
            {
                changed = KernelArgumentsEditor.Edit(changed);
            }

            if (WithoutOstree(changed) == WithoutOstree(target.KernelArguments))
            {
                Print(target.KernelArguments, parsed.GetValue(json), "No changes.");
                return parsed.GetValue(unchanged) ? ExitCodes.Unchanged : ExitCodes.Ok;
            }

            sysroot.ChangeKernelArguments(target, changed, parsed.GetValue(locked));
            Print(changed, parsed.GetValue(json), $"Kernel arguments of the next boot: {WithoutOstree(changed)}");
            machine.Reboot(sysroot, parsed);
            return ExitCodes.Ok;

            Deployment Target(Sysroot.Sysroot from) =>
                parsed.GetValue(index) is { } at ? from.DeploymentAt((int)Math.Clamp(at, -1, int.MaxValue)) : MachineSysroot.Next(from, machine.Stateroot(from, parsed));
        });
    }

    private static void Print(KernelArguments arguments, bool json, string sentence)
    {
        if (!json)
        {
            Console.Out.WriteLine(sentence.Length > 0 ? sentence : WithoutOstree(arguments));
            return;
        }

        Output.Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("kernelArguments");
            foreach (var word in arguments.ToList().Where(IsOwners))
            {
                writer.WriteStringValue(word);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static string WithoutOstree(KernelArguments arguments) => string.Join(' ', arguments.ToList().Where(IsOwners));

    // Where the root is found is not the owner's to change.
    internal static bool IsOwners(string word) => !word.StartsWith("ostree=", StringComparison.Ordinal);
}
