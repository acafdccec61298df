namespace OciOstree.Registry;

/// <summary>How to reach images; the defaults are right for an ordinary machine.</summary>
public sealed record RegistryOptions
{
    /// <summary>Credentials in containers-auth.json's format, instead of the files looked for by default.</summary>
    public string? AuthFile { get; init; }

    /// <summary>Credentials for the registry, instead of any file. Never sent to any other host.</summary>
    public RegistryCredential? Credential { get; init; }

    /// <summary>Never look for credentials.</summary>
    public bool Anonymous { get; init; }

    /// <summary>A directory with <c>*.crt</c>, and <c>*.cert</c> with <c>*.key</c>, as one of <c>/etc/containers/certs.d</c>.</summary>
    public string? CertificateDirectory { get; init; }

    /// <summary>False accepts any certificate, and plain HTTP. Null leaves it to registries.conf; what that does not name
    /// must speak TLS with a trusted certificate; on this machine's own addresses it may also speak plain HTTP.</summary>
    public bool? TlsVerify { get; init; }

    /// <summary>A registries.conf instead of the ones looked for by default.</summary>
    public string? RegistriesConf { get; init; }

    /// <summary>A registries.d, which says where signatures are, instead of the one looked for by default.</summary>
    public string? RegistriesDirectory { get; init; }

    /// <summary>Which image of an index to take; null is this machine's.</summary>
    public Platform? Platform { get; init; }

    public string UserAgent { get; init; } = "oci-ostree";

    /// <summary>How often a request or a broken blob is tried again.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>The wait before the first retry; it doubles from there, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long to wait for a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a server may send nothing before the connection counts as broken.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Where blobs wait that cannot be streamed: on disk, since <c>/tmp</c> may be memory.</summary>
    public string TemporaryDirectory { get; init; } =
        Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } given ? given : "/var/tmp";
}
