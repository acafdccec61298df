using System.CommandLine;
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
    public static bool Run(Sysroot.Sysroot sysroot, string stateroot, OstreeImageReference reference, OstreeImageReference follow, RegistryOptions registry, bool quiet, bool json)
    {
        var next = sysroot.Deployments.FirstOrDefault(deployment => deployment.Stateroot == stateroot);
        var options = new ImageDeployOptions { Registry = registry, Target = follow };
        using var importer = ContainerDeploy.CreateImporter(sysroot.Repo, reference, options);
        var plan = importer.Prepare(Entry.Cancellation);
        if (plan.Present is { } present && next?.Commit == present.MergeCommit && next.Origin?.ContainerImageReference == follow.ToString())
        {
            Report(json, $"No update: {Describe(follow, present.Version)} is deployed already.", writer => WritePlan(writer, follow, plan, available: false, next));
            return false;
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

        var deployment = ContainerDeploy.Deploy(sysroot, stateroot, image.MergeCommit, follow, options);
        // An image that no deployment follows would keep its layers for ever.
        ContainerDeploy.RemoveUndeployedImages(sysroot);
        Report(
            json,
            Done(sysroot, follow, image, deployment),
            writer => WritePlan(writer, follow, plan, available: true, deployment, image.MergeCommit, count, bytes));
        return true;
    }

    /// <summary>Only looks: nothing but manifest and configuration is fetched, and remembered for <c>status</c>.</summary>
    public static void Check(Sysroot.Sysroot sysroot, Deployment next, OstreeImageReference reference, RegistryOptions registry, bool json)
    {
        using var importer = ContainerDeploy.CreateImporter(sysroot.Repo, reference, new ImageDeployOptions { Registry = registry });
        var plan = importer.Prepare(Entry.Cancellation);
        var available = plan.Present?.MergeCommit != next.Commit;
        Report(
            json,
            available
                ? $"Update available: {Describe(reference, plan.Version)}, {plan.LayersToFetch.Count()} of {plan.Manifest.Layers.Count} layers to fetch ({Output.Size(plan.BytesToFetch)})"
                : "No update available.",
            writer => WritePlan(writer, reference, plan, available, deployment: null));
    }

    /// <summary>Says that an image is deployed, and when it runs.</summary>
    public static void PrintDone(Sysroot.Sysroot sysroot, OstreeImageReference follow, ImportedImage image, Deployment deployment) =>
        Console.Out.WriteLine(Done(sysroot, follow, image, deployment));

    private static string Done(Sysroot.Sysroot sysroot, OstreeImageReference follow, ImportedImage image, Deployment deployment) =>
        $"{(deployment.IsStaged ? "Staged" : "Deployed")} {Describe(follow, image.Version)}; {(sysroot.Booted is null ? "it boots next" : "reboot to run it")}.";

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
        Utf8JsonWriter writer, OstreeImageReference reference, ImportPlan plan, bool available, Deployment? deployment, Checksum? commit = null, int? layers = null, long? bytes = null)
    {
        writer.WriteStartObject();
        writer.WriteString("image", reference.ToString());
        writer.WriteString("digest", plan.ManifestDigest.ToString());
        writer.WriteString("version", plan.Version);
        writer.WriteBoolean("update", available);
        writer.WriteNumber("layersToFetch", layers ?? plan.LayersToFetch.Count());
        writer.WriteNumber("bytesToFetch", bytes ?? plan.BytesToFetch);
        if (commit is not null)
        {
            writer.WriteString("commit", commit.ToString());
        }

        if (deployment is not null)
        {
            writer.WriteString("stateroot", deployment.Stateroot);
            writer.WriteString("deployment", deployment.Path);
            writer.WriteBoolean("staged", deployment.IsStaged);
        }

        writer.WriteEndObject();
    }
}
