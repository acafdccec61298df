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
                Output.Json(writer => Write(writer, all));
                return;
            }

            if (all.Count == 0)
            {
                Console.Out.WriteLine("No deployments.");
            }

            foreach (var status in all)
            {
                Print(status);
            }
        });
    }

    private static void Print(MachineStatus status)
    {
        var deployment = status.Deployment;
        var origin = deployment.Origin;
        Console.Out.WriteLine($"{(status.IsBooted ? '*' : ' ')} {origin?.ContainerImageReference ?? origin?.Refspec ?? "(no origin)"}{(status.Place.Length > 0 ? $" ({status.Place})" : "")}");
        if (status.Version is not null || status.Created is not null)
        {
            Line("Version", $"{status.Version ?? "-"}{(status.Created is { } created ? $" ({created.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)})" : "")}");
        }

        if (status.Image is { } image)
        {
            Line("Digest", image.ManifestDigest.ToString());
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
    }

    private static void Line(string name, string value) => Console.Out.WriteLine($"    {name + ":",-12}{value}");

    private static void Write(Utf8JsonWriter writer, List<MachineStatus> all)
    {
        writer.WriteStartObject();
        WriteOne(writer, "booted", all.Find(status => status.IsBooted));
        WriteOne(writer, "staged", all.Find(status => status.Deployment.IsStaged));
        WriteOne(writer, "pending", all.Find(status => status.IsPending));
        WriteOne(writer, "rollback", all.Find(status => status.IsRollback));
        writer.WriteStartArray("deployments");
        foreach (var status in all)
        {
            WriteDeployment(writer, status);
        }

        writer.WriteEndArray();
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

    private static void WriteDeployment(Utf8JsonWriter writer, MachineStatus status)
    {
        var deployment = status.Deployment;
        writer.WriteStartObject();
        writer.WriteString("stateroot", deployment.Stateroot);
        writer.WriteString("checksum", deployment.Commit.ToString());
        writer.WriteNumber("serial", deployment.Serial);
        writer.WriteNumber("index", deployment.Index);
        writer.WriteString("path", deployment.Path);
        writer.WriteString("version", status.Version);
        writer.WriteString("timestamp", status.Created?.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        writer.WriteBoolean("booted", status.IsBooted);
        writer.WriteBoolean("default", status.IsDefault);
        writer.WriteBoolean("staged", deployment.IsStaged);
        writer.WriteBoolean("finalizationLocked", deployment.IsFinalizationLocked);
        writer.WriteBoolean("pending", status.IsPending);
        writer.WriteBoolean("rollback", status.IsRollback);
        writer.WriteBoolean("pinned", deployment.IsPinned);
        writer.WriteString("unlocked", Word(deployment.Unlocked));
        writer.WriteString("refspec", deployment.Origin?.Refspec);
        writer.WritePropertyName("image");
        if (deployment.Origin?.ContainerImageReference is { } reference)
        {
            writer.WriteStartObject();
            writer.WriteString("reference", reference);
            writer.WriteString("digest", status.Image?.ManifestDigest.ToString());
            writer.WriteString("baseCommit", status.Image?.BaseCommit?.ToString());
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WritePropertyName("cachedUpdate");
        if (status.Update is { } update)
        {
            writer.WriteStartObject();
            writer.WriteString("digest", update.ManifestDigest.ToString());
            writer.WriteString("version", update.Version);
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteString("kernelArguments", deployment.KernelArguments.ToString());
        writer.WriteEndObject();
    }

    private static string Word(Sysroot.UnlockedState state) => state.ToString().ToLowerInvariant();
}
