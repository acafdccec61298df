using System.Text.Json;

namespace OciOstree.Cli.Machine;

/// <summary>What <c>status --json</c> prints. The names are bootc's where it has one: image, imageDigest, cachedUpdate, pinned, ostree. docs/status-json.md lists them all.</summary>
internal static class StatusJson
{
    public static void Write(Utf8JsonWriter writer, Sysroot.Sysroot sysroot, List<MachineStatus> all)
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 1);
        WriteOne("booted", all.Find(status => status.IsBooted));
        writer.WriteObject("bootedRoot", sysroot.BootedRoot, WriteRoot);
        WriteOne("staged", all.Find(status => status.Deployment.IsStaged));
        WriteOne("pending", all.Find(status => status.IsPending));
        WriteOne("rollback", all.Find(status => status.IsRollback));
        // bootc's word: the next boot is neither what runs nor something new.
        writer.WriteBoolean("rollbackQueued", all.Exists(status => status.IsPending));
        if (sysroot.RollbackTarget is { } target)
        {
            writer.WriteNumber("rollbackTarget", target.Index);
        }
        else
        {
            writer.WriteNull("rollbackTarget");
        }

        writer.WriteStartArray("deployments");
        foreach (var status in all)
        {
            writer.WriteStartObject();
            WriteDeployment(writer, status);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();

        void WriteOne(string name, MachineStatus? status) => writer.WriteObject(name, status, WriteDeployment);
    }

    public static string Word(Sysroot.UnlockedState state) => state.ToString().ToLowerInvariant();

    private static void WriteRoot(Utf8JsonWriter writer, Sysroot.BootedRoot root)
    {
        writer.WriteBoolean("composefs", root.IsComposefs);
        writer.WriteBoolean("verity", root.HasVerity);
        writer.WriteString("signatureKeys", root.SignatureKeys);
        writer.WriteBoolean("transient", root.IsTransient);
        writer.WriteBoolean("transientEtc", root.HasTransientEtc);
    }

    private static void WriteDeployment(Utf8JsonWriter writer, MachineStatus status)
    {
        var deployment = status.Deployment;
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
        writer.WriteObject("image", deployment.Origin?.ContainerImageReference, (_, reference) => WriteImage(writer, status, reference));
        writer.WriteObject("cachedUpdate", status.Update, static (writer, update) =>
        {
            writer.WriteString("version", update.Version);
            writer.WriteString("imageDigest", update.ManifestDigest.ToString());
        });
        writer.WriteString("refspec", deployment.Origin?.Refspec);
        writer.WriteStartObject("ostree");
        writer.WriteString("checksum", deployment.Commit.ToString());
        writer.WriteNumber("deploySerial", deployment.Serial);
        writer.WriteString("stateroot", deployment.Stateroot);
        writer.WriteEndObject();
        writer.WriteString("path", deployment.Path);
        writer.WriteString("kernelArguments", deployment.KernelArguments.ToString());
    }

    private static void WriteImage(Utf8JsonWriter writer, MachineStatus status, string reference)
    {
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
        writer.WriteObject("layers", status.Image?.Manifest.Layers, (_, layers) =>
        {
            writer.WriteNumber("count", layers.Count);
            writer.WriteNumber("bytes", layers.Sum(layer => layer.Size));
            if (status.Shared is { } shared)
            {
                writer.WriteNumber("sharedCount", shared.Layers);
                writer.WriteNumber("sharedBytes", shared.Bytes);
            }
        });
    }

    /// <summary>Writes a member that is an object, or null where there is none.</summary>
    private static void WriteObject<T>(this Utf8JsonWriter writer, string name, T? value, Action<Utf8JsonWriter, T> members) where T : class
    {
        if (value is null)
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartObject(name);
        members(writer, value);
        writer.WriteEndObject();
    }

    // "registry" is what bootc calls the transport that containers/image writes "docker://".
    private static string TransportName(Registry.Transport transport) =>
        transport == Registry.Transport.Registry ? "registry" : Registry.ImageReference.Prefix(transport).TrimEnd(':');

    private static string? Time(DateTimeOffset? time) => time is { } known ? MachineStatus.Time(known) : null;
}
