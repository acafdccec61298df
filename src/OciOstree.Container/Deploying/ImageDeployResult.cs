using OciOstree.Sysroot;

namespace OciOstree.Container;

/// <summary>A deployed image.</summary>
/// <param name="Image">The image, and what was left out of it.</param>
/// <param name="Deployment">Its deployment: staged, if the system is booted from the sysroot.</param>
public sealed record ImageDeployResult(ImportedImage Image, Deployment Deployment);
