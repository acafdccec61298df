using System.CommandLine;
using System.Text.Json;
using OciOstree.Container;
using OciOstree.Linux;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary><c>config-diff</c>: what was done to <c>/etc</c> here, and what the next version will make of it.</summary>
internal static class ConfigDiffCommand
{
    public static Command Create()
    {
        var merge = Opts.Flag("--merge", "Show what the merge into another version will do, before it is done; 1 is the exit code if it would fail");
        var json = Opts.Flag("--json", "Print JSON");
        var into = Opts.Optional("VERSION", "With --merge: an image, a branch or a commit that is in the repository (default: what is staged, else what boots next, else what was downloaded)");
        var verb = new Verb(
            "config-diff",
            "Show what is local in /etc, and what an upgrade will do with it",
            "oci-ostree config-diff",
            "oci-ostree upgrade --download-only && oci-ostree config-diff --merge")
        {
            into, merge, json,
        };
        var machine = new MachineSysroot().AddTo(verb);
        return verb.Does(parsed =>
        {
            using var sysroot = machine.OpenToRead(parsed);
            var stateroot = machine.Stateroot(sysroot, parsed);
            var current = sysroot.Booted is { } booted && booted.Stateroot == stateroot ? booted : MachineSysroot.Next(sysroot, stateroot);
            if (!parsed.GetValue(merge))
            {
                if (parsed.GetValue(into) is not null)
                {
                    throw new UsageException("A version is compared with --merge only");
                }

                Show(sysroot.CompareEtc(current), parsed.GetValue(json));
                return ExitCodes.Ok;
            }

            var target = Target(sysroot, current, parsed.GetValue(into));
            var scratch = Directory.CreateTempSubdirectory("etc-merge-");
            EtcMergePlan plan;
            try
            {
                plan = sysroot.PreviewEtcMerge(current, target, scratch.FullName);
            }
            finally
            {
                scratch.Delete(recursive: true);
            }

            if (parsed.GetValue(json))
            {
                Write(plan, sysroot, current, target);
            }
            else
            {
                Show(plan, sysroot, current, target);
            }

            return plan.IsRefused ? ExitCodes.Failed : ExitCodes.Ok;
        });
    }

    private static Checksum Target(Sysroot.Sysroot sysroot, Deployment current, string? asked)
    {
        if (asked is not null)
        {
            // An image as status shows it, or as inspect takes it.
            return (MachineStatus.TryParse(asked) ?? MachineStatus.TryParse("ostree-unverified-image:" + asked)) is { } reference && new ImageStore(sysroot.Repo).Query(reference.Image) is { } image ? image.MergeCommit : sysroot.Repo.ResolveRequired(asked);
        }

        if (sysroot.Deployments.FirstOrDefault(deployment => deployment.Stateroot == current.Stateroot) is { } next && !next.IsSame(current))
        {
            return next.Commit;
        }

        return ContainerDeploy.ImageOf(current) is { } follows && new ImageStore(sysroot.Repo).Query(follows.Image) is { } downloaded && downloaded.MergeCommit != current.Commit
            ? downloaded.MergeCommit
            : throw new SysrootException("There is no other version here to merge into: name one, or fetch one with `oci-ostree upgrade --download-only`");
    }

    private static void Show(EtcDiff diff, bool json)
    {
        var lists = new[] { ("modified", 'M', diff.Modified), ("removed", 'D', diff.Removed), ("added", 'A', diff.Added) };
        if (json)
        {
            Output.Json(writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("schemaVersion", 1);
                foreach (var (name, _, paths) in lists)
                {
                    WriteList(writer, name, paths);
                }

                WriteList(writer, "leftBehind", diff.Unsupported);
                writer.WriteEndObject();
            });
            return;
        }

        foreach (var (_, letter, paths) in lists)
        {
            foreach (var path in paths)
            {
                Console.Out.WriteLine($"{letter}    {FileName.ForDisplay(path)}");
            }
        }
    }

    private static void Show(EtcMergePlan plan, Sysroot.Sysroot sysroot, Deployment current, Checksum target)
    {
        Console.Out.WriteLine($"/etc of {MachineStatus.Name(sysroot, current)} merged into {MachineStatus.VersionOf(sysroot, target) ?? target.ToString()}:");
        var any = false;
        foreach (var (fate, title) in new[]
        {
            (EtcFate.Refused, "would stop the upgrade: a file here is a directory there, or the reverse"),
            (EtcFate.Conflict, "changed here and there: stays as it is here"),
            (EtcFate.RemovedConflict, "removed here, changed there: stays away"),
            (EtcFate.LeftBehind, "no file: stays behind in the old deployment"),
            (EtcFate.Kept, "changed here: kept"),
            (EtcFate.Removed, "removed here: stays away"),
            (EtcFate.Replaced, "changed there: replaced"),
            (EtcFate.New, "new there"),
            (EtcFate.Gone, "gone there"),
        })
        {
            var paths = plan.Paths(fate).ToList();
            if (paths.Count == 0)
            {
                continue;
            }

            any = true;
            Console.Out.WriteLine($"{title}:");
            foreach (var path in paths)
            {
                Console.Out.WriteLine($"    {FileName.ForDisplay(path)}");
            }
        }

        if (!any)
        {
            Console.Out.WriteLine("Nothing changes.");
        }
    }

    private static void Write(EtcMergePlan plan, Sysroot.Sysroot sysroot, Deployment current, Checksum target) => Output.Json(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 1);
        writer.WriteString("from", current.Commit.ToString());
        writer.WriteString("into", target.ToString());
        writer.WriteString("intoVersion", MachineStatus.VersionOf(sysroot, target));
        writer.WriteBoolean("possible", !plan.IsRefused);
        foreach (var (name, fate) in new[]
        {
            ("refused", EtcFate.Refused), ("conflicts", EtcFate.Conflict), ("removedConflicts", EtcFate.RemovedConflict), ("leftBehind", EtcFate.LeftBehind), ("kept", EtcFate.Kept),
            ("removed", EtcFate.Removed), ("replaced", EtcFate.Replaced), ("new", EtcFate.New), ("gone", EtcFate.Gone),
        })
        {
            WriteList(writer, name, plan.Paths(fate));
        }

        writer.WriteEndObject();
    });

    private static void WriteList(Utf8JsonWriter writer, string name, IEnumerable<string> paths)
    {
        writer.WriteStartArray(name);
        foreach (var path in paths)
        {
            writer.WriteStringValue(FileName.ForDisplay(path));
        }

        writer.WriteEndArray();
    }
}
