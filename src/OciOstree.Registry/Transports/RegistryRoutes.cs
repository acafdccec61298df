using OciOstree.Registry.Configuration;
using OciOstree.Registry.Credentials;
using OciOstree.Registry.Http;

namespace OciOstree.Registry.Transports;

/// <summary>Where to go for an image of a given name, and with which credentials.</summary>
internal static class RegistryRoutes
{
    /// <summary>A registry is silent while it stores a large blob elsewhere; so many stall timeouts are granted for that.</summary>
    private const int PushPatience = 10;

    internal static string PullScope(Endpoint endpoint) => $"repository:{endpoint.Repository}:pull";

    internal static string PushScope(Endpoint endpoint) => $"repository:{endpoint.Repository}:pull,push";

    /// <summary>Clients for all places that may have the image, the preferred one first.</summary>
    internal static List<RegistryClient> Readers(RegistryName name, RegistryOptions options) =>
        [.. RegistriesConf.Load(options.RegistriesConf).ForPull(name, options.TlsVerify).Select(e => new RegistryClient(e, options, FindCredential(e, name, options)))];

    /// <summary>A client for the registry itself.</summary>
    internal static RegistryClient Writer(RegistryName name, RegistryOptions options)
    {
        var endpoint = RegistriesConf.Load(options.RegistriesConf).ForPush(name, options.TlsVerify);
        return new RegistryClient(endpoint, options, FindCredential(endpoint, name, options), PushPatience);
    }

    /// <summary>A credential that was given for the registry is not for its mirrors.</summary>
    private static Func<RegistryCredential?> FindCredential(Endpoint endpoint, RegistryName name, RegistryOptions options) => () =>
        options.Anonymous ? null
        : options.Credential is { } given && endpoint.Host == name.Host ? given
        : CredentialFiles.Find(endpoint.Host, endpoint.Repository, options.AuthFile);
}
