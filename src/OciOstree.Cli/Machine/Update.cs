using System.Globalization;
using System.Text.Json;
using OciOstree.Cli.Container;
using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary>Moving a machine to an image, be it the one it follows or another: look, fetch what is missing, deploy, say what happened.</summary>
internal static class Update
{
    /// <returns>Whether the next boot is now another.</returns>
    public static bool Run(Sysroot.Sysroot sysroot, UpdateRequest request)
    {
        var (stateroot, reference, follow, quiet, json) = (request.Stateroot, request.Reference, request.Follow, request.Quiet, request.Json);
        var next = sysroot.Deployments.FirstOrDefault(deployment => deployment.Stateroot == stateroot);
        var options = new ImageDeployOptions { Registry = request.Registry, Target = follow, LockFinalization = request.DownloadOnly, TopLevels = request.TopLevels, Labels = request.Labels };
        using var importer = ContainerDeploy.CreateImporter(sysroot.Repo, reference, options);
        var plan = importer.Prepare(Entry.Cancellation);
        if (plan.Present is { } present && next?.Commit == present.MergeCommit && next.Origin?.ContainerImageReference == follow.ToString())
        {
            if (next.IsFinalizationLocked && !request.DownloadOnly)
            {
                sysroot.SetFinalizationLocked(false);
                Report(json, $"{Describe(follow, present.Version)} was downloaded before; reboot to run it.", writer => WritePlan(writer, follow, plan, available: true, sysroot.Staged));
                return true;
            }

            Report(json, $"No update: {Describe(follow, present.Version)} is deployed already.", writer => WritePlan(writer, follow, plan, available: false, next));
            return false;
        }

        if (!request.AllowFailed && sysroot.Deployments.FirstOrDefault(deployment => HasFailed(sysroot, deployment, plan)) is not null)
        {
            throw new SysrootException($"{Describe(follow, plan.Version)} failed its health checks on this machine and was given up; --allow-failed tries it again");
        }

        if (!request.AllowOlder && next is not null && IsOlder(plan, sysroot, next, out var difference))
        {
            throw new SysrootException($"{Describe(follow, plan.Version)} is {difference}; --allow-downgrade takes it nevertheless");
        }

        var (count, bytes) = (plan.LayersToFetch.Count(), plan.BytesToFetch);
        if (!json && plan.Present is null)
        {
            PullCommand.PrintPlan(plan);
        }

        var image = TransferBars.Run(progress => importer.Import(plan, progress, Entry.Cancellation), quiet || json);
        foreach (var warning in image.Warnings)
        {
            Console.Error.WriteLine(warning);
        }

        PullCommand.PrintSignatures(image, json);

        if (request.DownloadOnly && !sysroot.CanStage)
        {
            Report(
                json,
                $"Downloaded {Describe(follow, image.Version)}; `oci-ostree upgrade --from-downloaded` deploys it.",
                writer => WritePlan(writer, follow, plan, available: true, deployment: null, image.MergeCommit, count, bytes));
            return false;
        }

        var deployment = ContainerDeploy.Deploy(sysroot, stateroot, image.MergeCommit, follow, options);
        // An image that no deployment follows would keep its layers for ever.
        ContainerDeploy.RemoveUndeployedImages(sysroot);
        Report(
            json,
            Done(sysroot, follow, image.Version, deployment),
            writer => WritePlan(writer, follow, plan, available: true, deployment, image.MergeCommit, count, bytes));
        return !request.DownloadOnly;
    }

    /// <summary>Makes what was downloaded before the next to boot, without asking a registry.</summary>
    /// <returns>Whether the next boot is now another.</returns>
    public static bool FromDownloaded(Sysroot.Sysroot sysroot, Deployment next, OstreeImageReference reference, bool json)
    {
        if (next is { IsStaged: true, IsFinalizationLocked: true })
        {
            sysroot.SetFinalizationLocked(false);
            next = sysroot.Staged!;
        }
        else if (new ImageStore(sysroot.Repo).Query(reference.Image) is { } image && image.MergeCommit != next.Commit)
        {
            next = ContainerDeploy.Deploy(sysroot, next.Stateroot, image.MergeCommit, reference);
        }
        else
        {
            throw new SysrootException($"Nothing was downloaded for {reference}: use `oci-ostree upgrade --download-only`");
        }

        var version = MachineStatus.VersionOf(sysroot, next.Commit);
        Report(json, Done(sysroot, reference, version, next), writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("image", reference.ToString());
            writer.WriteString("version", version);
            writer.WriteBoolean("update", true);
            writer.WriteString("commit", next.Commit.ToString());
            WriteDeployment(writer, next);
            writer.WriteEndObject();
        });
        return true;
    }

    private static bool HasFailed(Sysroot.Sysroot sysroot, Deployment deployment, ImportPlan plan) =>
        BootHealth.StateOf(sysroot, deployment) == HealthState.Bad && MachineStatus.ImageIn(sysroot, deployment.Commit)?.ManifestDigest == plan.ManifestDigest;

    /// <summary>Whether an image was made before the one that is deployed: then something is wrong, or somebody wants to bring an old version with known holes back.</summary>
    private static bool IsOlder(ImportPlan plan, Sysroot.Sysroot sysroot, Deployment deployed, out string difference)
    {
        difference = "";
        var current = MachineStatus.ImageIn(sysroot, deployed.Commit)?.Config.Created;
        if (!Date(plan.Config.Created, out var to) || !Date(current, out var from) || to >= from)
        {
            return false;
        }

        difference = $"of {MachineStatus.Time(to)}, older than what is deployed, of {MachineStatus.Time(from)}";
        return true;

        static bool Date(string? text, out DateTimeOffset date) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);
    }

    /// <summary>Only looks: nothing but manifest and configuration is fetched, and remembered for <c>status</c>.</summary>
    public static void Check(Sysroot.Sysroot sysroot, Deployment next, OstreeImageReference reference, RegistryOptions registry, bool json)
    {
        using var importer = ContainerDeploy.CreateImporter(sysroot.Repo, reference, new ImageDeployOptions { Registry = registry });
        var plan = importer.Prepare(Entry.Cancellation);
        var available = plan.Present?.MergeCommit != next.Commit;
        var older = IsOlder(plan, sysroot, next, out var difference);
        Report(
            json,
            available
                ? $"Update available: {Describe(reference, plan.Version)}, {plan.LayersToFetch.Count()} of {plan.Manifest.Layers.Count} layers to fetch ({Output.Size(plan.BytesToFetch)}){(older ? $". It is {difference}: an upgrade needs --allow-downgrade" : "")}"
                : "No update available.",
            writer => WritePlan(writer, reference, plan, available, deployment: null, older: older));
    }

    /// <summary>Says that an image is deployed, and when it runs.</summary>
    public static void PrintDone(Sysroot.Sysroot sysroot, OstreeImageReference follow, ImportedImage image, Deployment deployment) =>
        Console.Out.WriteLine(Done(sysroot, follow, image.Version, deployment));

    private static string Done(Sysroot.Sysroot sysroot, OstreeImageReference follow, string? version, Deployment deployment) =>
        deployment.IsFinalizationLocked
            ? $"Downloaded {Describe(follow, version)}; `oci-ostree upgrade --from-downloaded` lets the next reboot run it."
            : $"{(deployment.IsStaged ? "Staged" : "Deployed")} {Describe(follow, version)}; {(sysroot.Booted is null ? "it boots next" : "reboot to run it")}.";

    private static string Describe(OstreeImageReference reference, string? version) => version is null ? reference.ToString() : $"{reference} (version {version})";

    private static void Report(bool json, string line, Action<Utf8JsonWriter> value)
    {
        if (json)
        {
            Output.Json(value);
        }
        else
        {
            Console.Out.WriteLine(line);
        }
    }

    private static void WritePlan(
        Utf8JsonWriter writer, OstreeImageReference reference, ImportPlan plan, bool available, Deployment? deployment, Checksum? commit = null, int? layers = null, long? bytes = null, bool? older = null)
    {
        writer.WriteStartObject();
        writer.WriteString("image", reference.ToString());
        writer.WriteString("digest", plan.ManifestDigest.ToString());
        writer.WriteString("version", plan.Version);
        writer.WriteBoolean("update", available);
        writer.WriteNumber("layersToFetch", layers ?? plan.LayersToFetch.Count());
        writer.WriteNumber("bytesToFetch", bytes ?? plan.BytesToFetch);
        if (older is { } isOlder)
        {
            writer.WriteBoolean("older", isOlder);
        }

        if (commit is not null)
        {
            writer.WriteString("commit", commit.ToString());
        }

        if (deployment is not null)
        {
            WriteDeployment(writer, deployment);
        }

        writer.WriteEndObject();
    }

    private static void WriteDeployment(Utf8JsonWriter writer, Deployment deployment)
    {
        writer.WriteString("stateroot", deployment.Stateroot);
        writer.WriteString("deployment", deployment.Path);
        writer.WriteBoolean("staged", deployment.IsStaged);
        writer.WriteBoolean("downloadOnly", deployment.IsFinalizationLocked);
    }
}
