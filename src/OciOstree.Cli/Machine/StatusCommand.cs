using System.CommandLine;

namespace OciOstree.Cli.Machine;

/// <summary><c>status</c>: what runs, what boots next, what it was before.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = Opts.Flag("--json", "Print JSON");
        var verb = new Verb("status", "Show what this machine runs, what it boots next and what it can go back to", "oci-ostree status", "oci-ostree status --json") { json };
        var machine = new MachineSysroot().AddTo(verb);
        return verb.Does(parsed =>
        {
            using var sysroot = machine.OpenToRead(parsed);
            var all = MachineStatus.All(sysroot);
            if (parsed.GetValue(json))
            {
                Output.Json(writer => StatusJson.Write(writer, sysroot, all));
                return;
            }

            if (all.Count == 0)
            {
                Console.Out.WriteLine("No deployments.");
            }

            var runs = all.Exists(status => status.IsBooted);
            foreach (var status in all)
            {
                Print(status, runs, sysroot.BootedRoot);
            }

            if (sysroot.RollbackTarget is { } target)
            {
                Console.Out.WriteLine($"A rollback would boot: {MachineStatus.Name(sysroot, target)}");
            }
        });
    }

    private static void Print(MachineStatus status, bool runs, Sysroot.BootedRoot? root)
    {
        var deployment = status.Deployment;
        var origin = deployment.Origin;
        Console.Out.WriteLine($"{(status.IsBooted ? '*' : ' ')} {origin?.ContainerImageReference ?? origin?.Refspec ?? "(no origin)"}{(status.Place.Length > 0 ? $" ({status.Place})" : "")}");
        if (status.Version is not null || status.Created is not null)
        {
            Line("Version", $"{status.Version ?? "-"}{(status.Created is { } created ? $" ({MachineStatus.Time(created)})" : "")}");
        }

        if (status.Image is { } image)
        {
            Line("Digest", image.ManifestDigest.ToString());
            var layers = image.Manifest.Layers;
            Line("Layers", $"{layers.Count} ({Output.Size(layers.Sum(layer => layer.Size))})" + (status.Shared is { } shared
                ? $", {shared.Layers} of them ({Output.Size(shared.Bytes)}) shared with {(runs ? "what runs" : "the first deployment")}"
                : ""));
        }

        if (status.Update is { } update)
        {
            Line("Update", $"{update.Version ?? "-"} ({update.ManifestDigest})");
        }

        Line("Deployment", $"{deployment.Stateroot} {deployment.Commit}.{deployment.Serial}");
        if (deployment.IsPinned)
        {
            Line("Pinned", "yes");
        }

        if (deployment.Unlocked != Sysroot.UnlockedState.None)
        {
            Line("Unlocked", StatusJson.Word(deployment.Unlocked));
        }

        if (status.IsBooted && root is { IsComposefs: true })
        {
            Line("Root", string.Join(", ", RootWords(root)));
        }
    }

    private static IEnumerable<string> RootWords(Sysroot.BootedRoot root)
    {
        yield return "composefs";
        if (root.HasVerity)
        {
            yield return "content checked (fs-verity)";
        }

        if (root.SignatureKeys is { } keys)
        {
            yield return $"signature checked by {keys}";
        }

        if (root.IsTransient || root.HasTransientEtc)
        {
            yield return $"changes {(!root.IsTransient ? "in /etc" : root.HasTransientEtc ? "outside of /var" : "outside of /etc and /var")} are lost at reboot";
        }
    }

    private static void Line(string name, string value) => Console.Out.WriteLine($"    {name + ":",-12}{value}");
}
