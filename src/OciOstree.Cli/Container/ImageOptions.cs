using System.CommandLine;
using OciOstree.Registry;

namespace OciOstree.Cli.Container;

/// <summary>The options of every verb that reaches a registry, under the names that ostree-ext and skopeo have for them.</summary>
internal sealed class ImageOptions
{
    private readonly Option<string?> authFile = Opts.Value("--authfile", "PATH", "Path to Docker-formatted authentication file");
    private readonly Option<string?> certDir = Opts.Value("--cert-dir", "PATH", "Directory with certificates (*.crt, *.cert, *.key) used to connect to registry");
    private readonly Option<bool> insecure = Opts.Flag("--insecure-skip-tls-verification", "Skip TLS verification, and speak plain HTTP to a registry that knows nothing else");
    private readonly Option<string?> tlsVerify = Opts.Value("--tls-verify", "BOOLEAN", "The same, as skopeo and podman spell it: --tls-verify=false");
    private readonly Option<bool> anonymous = Opts.Flag("--auth-anonymous", "Use no credentials at all");
    private readonly Option<string?> platform = Opts.Value("--platform", "OS/ARCH[/VARIANT]", "Choose this image of an index, instead of the one for this machine");

    /// <summary>Adds them to a verb.</summary>
    public ImageOptions AddTo(Command verb, bool withPlatform = true)
    {
        foreach (var option in new Option[] { authFile, certDir, insecure, tlsVerify, anonymous })
        {
            verb.Add(option);
        }

        if (withPlatform)
        {
            verb.Add(platform);
        }

        return this;
    }

    public RegistryOptions Read(ParseResult parsed)
    {
        if (parsed.GetValue(authFile) is { } credentials && !File.Exists(credentials))
        {
            // A registry that asks for none would hide the mistake until another does.
            throw new RegistryException($"credentials file {credentials}: no such file");
        }

        return new RegistryOptions
        {
            AuthFile = parsed.GetValue(authFile),
            CertificateDirectory = parsed.GetValue(certDir),
            TlsVerify = parsed.GetValue(insecure) ? false : Boolean(parsed, tlsVerify),
            Anonymous = parsed.GetValue(anonymous),
            Platform = parsed.GetValue(platform) is { } given ? Platform.Parse(given) : null,
        };
    }

    /// <summary>What such an option says; null if it is not given.</summary>
    public static bool? Boolean(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) switch
    {
        null => null,
        "false" or "0" => false,
        "true" or "1" => true,
        var other => throw new UsageException($"Cannot parse boolean value '{other}' for {option.Name}"),
    };
}
