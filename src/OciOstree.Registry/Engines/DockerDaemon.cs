using OciOstree.Registry.Transports;

namespace OciOstree.Registry.Engines;

/// <summary><c>docker-daemon:</c>: an image held by a daemon, through its API's docker archives.</summary>
internal static class DockerDaemon
{
    /// <summary>Fetches the image whole: the API has no smaller part.</summary>
    internal static IImageSource OpenSource(ImageReference reference, RegistryOptions options)
    {
        var spool = SpoolFile.Create(options.TemporaryDirectory, computeDigest: false);
        try
        {
            using var engine = EngineSocket.Open();
            engine.Save(reference.Name, spool, CancellationToken.None);
            return DockerArchiveSource.Over(reference, options, ArchiveFile.Open(reference.ToString(), spool));
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }

    internal static IImageDestination OpenDestination(ImageReference reference, RegistryOptions options) => new Destination(reference, options);

    private sealed class Destination(ImageReference reference, RegistryOptions options)
        : DockerArchiveDestination(reference, null, reference.Name, options.TemporaryDirectory)
    {
        public override void Finish(CancellationToken cancellationToken = default)
        {
            using var archive = SpoolFile.Create(SpoolDirectory, computeDigest: false);
            Pack(archive, tar => Write(tar, cancellationToken));
            using var engine = EngineSocket.Open();
            engine.Load(archive, cancellationToken);
        }
    }
}
