using OciOstree.Registry;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Container;

/// <summary>From an image to a deployment: import into the sysroot's repository, check out, boot entries.</summary>
public static class ContainerDeploy
{
    /// <summary>The stateroot of machines that name none.</summary>
    public const string DefaultStateroot = "default";

    /// <summary>
    /// Imports an image and deploys it, with <c>/etc</c> and the kernel arguments of the stateroot's current deployment carried over.
    /// On a system booted from this sysroot the new deployment is staged, if there is something that will finalise it at shutdown.
    /// </summary>
    /// <param name="planned">Told what is to be fetched, before it is.</param>
    /// <exception cref="ContainerException">The image cannot be imported.</exception>
    /// <exception cref="SysrootException">It cannot be deployed.</exception>
    public static ImageDeployResult Run(Sysroot.Sysroot sysroot, string stateroot, OstreeImageReference reference, ImageDeployOptions? options = null, Action<ImportPlan>? planned = null, ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new ImageDeployOptions();
        // Before an image is fetched for nothing.
        if (!sysroot.Stateroots().Contains(stateroot))
        {
            var others = string.Join(", ", sysroot.Stateroots());
            throw new SysrootException($"No such stateroot: {stateroot} ({(others.Length > 0 ? $"there is {others}" : "there is none")}; `ostree admin stateroot-init {stateroot}` makes it)");
        }

        using var importer = CreateImporter(sysroot.Repo, reference, options);
        var plan = importer.Prepare(cancellationToken);
        planned?.Invoke(plan);
        var image = importer.Import(plan, progress, cancellationToken);
        return new ImageDeployResult(image, Deploy(sysroot, stateroot, image.MergeCommit, options.Target ?? reference, options));
    }

    /// <summary>An importer with the options that a deployment needs, for who wants to look at the plan before.</summary>
    public static ImageImporter CreateImporter(Repo repo, OstreeImageReference reference, ImageDeployOptions? options = null)
    {
        options ??= new ImageDeployOptions();
        return new ImageImporter(repo, reference, new ImportOptions
        {
            Registry = options.Registry,
            Target = options.Target?.Image,
            WriteImageRef = options.WriteImageRef,
            RequireBootable = options.RequireBootable,
            TopLevels = options.TopLevels,
            Labels = options.Labels,
        });
    }

    /// <summary>Deploys an image that is in the repository; <paramref name="follow"/> goes into the origin.</summary>
    public static Deployment Deploy(Sysroot.Sysroot sysroot, string stateroot, Checksum mergeCommit, OstreeImageReference follow, ImageDeployOptions? options = null)
    {
        options ??= new ImageDeployOptions();
        var merge = sysroot.MergeDeployment(stateroot);
        var request = new DeployRequest
        {
            Stateroot = stateroot,
            Commit = mergeCommit,
            Origin = Origin.FromContainerImage(follow.ToString()),
            Merge = merge,
            KernelArguments = options.KernelArguments,
            LockFinalization = options.LockFinalization,
            Labels = options.Labels,
        };
        if (sysroot.CanStage && options.Stage)
        {
            return sysroot.Stage(request);
        }

        var deployment = sysroot.Deploy(request);
        sysroot.AddDeployment(deployment, merge, options.Retention);
        return deployment;
    }

    /// <summary>The image that a deployment follows; null if it follows none.</summary>
    /// <exception cref="ContainerException">Its origin names one that makes no sense.</exception>
    public static OstreeImageReference? ImageOf(Deployment deployment) =>
        deployment.Origin?.ContainerImageReference is { } text ? OstreeImageReference.Parse(text) : null;

    /// <summary>Forgets every image that no deployment follows; layers and objects stay until they are pruned.</summary>
    /// <returns>The images that went.</returns>
    public static IReadOnlyList<ImageReference> RemoveUndeployedImages(Sysroot.Sysroot sysroot)
    {
        HashSet<ImageReference> deployed = [.. sysroot.Deployments.Select(ImageOf).OfType<OstreeImageReference>().Select(reference => reference.Image)];
        var store = new ImageStore(sysroot.Repo);
        return [.. store.List().Where(image => !deployed.Contains(image) && store.Remove(image))];
    }
}
