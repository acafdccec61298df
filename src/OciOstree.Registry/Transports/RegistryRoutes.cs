using OciOstree.Registry.Credentials;
using OciOstree.Registry.Http;

namespace OciOstree.Registry.Transports;

/// <summary>Where to go for an image of a given name, and with which credentials.</summary>
internal static class RegistryRoutes
{
    internal static string PullScope(Endpoint endpoint) => $"repository:{endpoint.Repository}:pull";

    internal static string PushScope(Endpoint endpoint) => $"repository:{endpoint.Repository}:pull,push";

    /// <summary>Clients for all places that may have the image, the preferred one first.</summary>
    internal static List<RegistryClient> Clients(RegistryName name, RegistryOptions options) =>
        [new RegistryClient(Primary(name, options), options, FindCredential(name, options))];

    /// <summary>A client for the registry itself: mirrors are never written to.</summary>
    internal static RegistryClient Writer(RegistryName name, RegistryOptions options) =>
        new(Primary(name, options), options, FindCredential(name, options), patience: 10);

    private static Endpoint Primary(RegistryName name, RegistryOptions options) => new(name.Host, name.Repository, options.TlsVerify == false);

    private static Func<RegistryCredential?> FindCredential(RegistryName name, RegistryOptions options) =>
        () => options.Anonymous ? null : options.Credential ?? CredentialFiles.Find(name.Host, name.Repository, options.AuthFile);
}
