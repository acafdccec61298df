using System.CommandLine;
using System.Globalization;
using System.Text.Json;

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
                Output.Json(writer => Write(writer, sysroot, all));
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
            Line("Unlocked", Word(deployment.Unlocked));
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

    private static void Write(Utf8JsonWriter writer, Sysroot.Sysroot sysroot, List<MachineStatus> all)
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 1);
        WriteOne(writer, "booted", all.Find(status => status.IsBooted));
        WriteRoot(writer, sysroot.BootedRoot);
        WriteOne(writer, "staged", all.Find(status => status.Deployment.IsStaged));
        WriteOne(writer, "pending", all.Find(status => status.IsPending));
        WriteOne(writer, "rollback", all.Find(status => status.IsRollback));
        // bootc's word: the next boot is neither what runs nor something new.
        writer.WriteBoolean("rollbackQueued", all.Exists(status => status.IsPending));
        writer.WritePropertyName("rollbackTarget");
        if (sysroot.RollbackTarget is { } target)
        {
            writer.WriteNumberValue(target.Index);
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteStartArray("deployments");
        foreach (var status in all)
        {
            WriteDeployment(writer, status);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteRoot(Utf8JsonWriter writer, Sysroot.BootedRoot? root)
    {
        writer.WritePropertyName("bootedRoot");
        if (root is null)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        writer.WriteBoolean("composefs", root.IsComposefs);
        writer.WriteBoolean("verity", root.HasVerity);
        writer.WriteString("signatureKeys", root.SignatureKeys);
        writer.WriteBoolean("transient", root.IsTransient);
        writer.WriteBoolean("transientEtc", root.HasTransientEtc);
        writer.WriteEndObject();
    }

    private static void WriteOne(Utf8JsonWriter writer, string name, MachineStatus? status)
    {
        writer.WritePropertyName(name);
        if (status is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            WriteDeployment(writer, status);
        }
    }

    // The names are bootc's where it has one: image, imageDigest, cachedUpdate, pinned, ostree. docs/status-json.md lists them all.
    private static void WriteDeployment(Utf8JsonWriter writer, MachineStatus status)
    {
        var deployment = status.Deployment;
        writer.WriteStartObject();
        writer.WriteNumber("index", deployment.Index);
        writer.WriteBoolean("booted", status.IsBooted);
        writer.WriteBoolean("default", status.IsDefault);
        writer.WriteBoolean("staged", deployment.IsStaged);
        writer.WriteBoolean("finalizationLocked", deployment.IsFinalizationLocked);
        writer.WriteBoolean("downloadOnly", deployment.IsFinalizationLocked);
        writer.WriteBoolean("pending", status.IsPending);
        writer.WriteBoolean("rollback", status.IsRollback);
        writer.WriteBoolean("pinned", deployment.IsPinned);
        writer.WriteString("unlocked", Word(deployment.Unlocked));
        writer.WriteString("version", status.Version);
        writer.WriteString("timestamp", Time(status.Created));
        writer.WritePropertyName("image");
        WriteImage(writer, status);
        writer.WritePropertyName("cachedUpdate");
        if (status.Update is { } update)
        {
            writer.WriteStartObject();
            writer.WriteString("version", update.Version);
            writer.WriteString("imageDigest", update.ManifestDigest.ToString());
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteString("refspec", deployment.Origin?.Refspec);
        writer.WriteStartObject("ostree");
        writer.WriteString("checksum", deployment.Commit.ToString());
        writer.WriteNumber("deploySerial", deployment.Serial);
        writer.WriteString("stateroot", deployment.Stateroot);
        writer.WriteEndObject();
        writer.WriteString("path", deployment.Path);
        writer.WriteString("kernelArguments", deployment.KernelArguments.ToString());
        writer.WriteEndObject();
    }

    private static void WriteImage(Utf8JsonWriter writer, MachineStatus status)
    {
        if (status.Deployment.Origin?.ContainerImageReference is not { } reference)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("reference", reference);
        writer.WriteStartObject("image");
        // Somebody else's origin may hold what we cannot read: it is still shown as it is.
        if (MachineStatus.TryParse(reference) is { } parsed)
        {
            writer.WriteString("image", parsed.Image.Name);
            writer.WriteString("transport", TransportName(parsed.Image.Transport));
            writer.WriteString("signature", parsed.Source.RemoteName is { } remote ? $"ostreeRemote:{remote}" : parsed.Source.RequiresPolicy ? "containerPolicy" : "insecure");
        }
        else
        {
            writer.WriteString("image", reference);
        }

        writer.WriteEndObject();
        writer.WriteString("version", status.Image?.Version);
        writer.WriteString("timestamp", Time(status.Created));
        writer.WriteString("imageDigest", status.Image?.ManifestDigest.ToString());
        writer.WriteString("architecture", status.Image?.Config.Architecture);
        writer.WriteString("baseCommit", status.Image?.BaseCommit?.ToString());
        writer.WritePropertyName("layers");
        if (status.Image?.Manifest.Layers is { } layers)
        {
            writer.WriteStartObject();
            writer.WriteNumber("count", layers.Count);
            writer.WriteNumber("bytes", layers.Sum(layer => layer.Size));
            if (status.Shared is { } shared)
            {
                writer.WriteNumber("sharedCount", shared.Layers);
                writer.WriteNumber("sharedBytes", shared.Bytes);
            }

            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteEndObject();
    }

    // "registry" is what bootc calls the transport that containers/image writes "docker://".
    private static string TransportName(Registry.Transport transport) =>
        transport == Registry.Transport.Registry ? "registry" : Registry.ImageReference.Prefix(transport).TrimEnd(':');

    private static string? Time(DateTimeOffset? time) => time is { } known ? MachineStatus.Time(known) : null;

    private static string Word(Sysroot.UnlockedState state) => state.ToString().ToLowerInvariant();
}
