using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OciOstree.Registry.Http;

/// <summary>Whom to believe on the other end of a TLS connection, and whom to say we are.</summary>
internal sealed class TlsTrust
{
    private readonly X509Certificate2Collection authorities = [];
    private readonly bool acceptAny;

    private TlsTrust(bool acceptAny) => this.acceptAny = acceptAny;

    internal X509CertificateCollection ClientCertificates { get; } = [];

    /// <summary>Why the last certificate was turned down; the TLS library itself says only that it was.</summary>
    internal string? Rejection { get; private set; }

    /// <summary>Reads the certificate directories of a registry, as containers/image and docker do.</summary>
    /// <param name="host">With its port, as in the image's name: the directory is named so.</param>
    internal static TlsTrust ForHost(string host, RegistryOptions options, bool acceptAny)
    {
        var trust = new TlsTrust(acceptAny);
        if (options.CertificateDirectory is { } given)
        {
            if (!Directory.Exists(given))
            {
                throw new RegistryException($"certificate directory {given}: no such directory");
            }

            trust.Read(given);
            return trust;
        }

        var home = Environment.GetEnvironmentVariable("HOME");
        string?[] places = [string.IsNullOrEmpty(home) ? null : home + "/.config/containers/certs.d", "/etc/containers/certs.d", "/etc/docker/certs.d"];
        foreach (var place in places)
        {
            // The first that exists is the one, as containers/image has it.
            if (place is not null && Path.Combine(place, host) is var directory && Directory.Exists(directory))
            {
                trust.Read(directory);
                break;
            }
        }

        return trust;
    }

    internal bool Accepts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || acceptAny)
        {
            return true;
        }

        // A private authority excuses an unknown root, never a wrong name.
        var status = X509ChainStatusFlags.NoError;
        if (errors == SslPolicyErrors.RemoteCertificateChainErrors && certificate is not null && chain is not null)
        {
            if (authorities.Count > 0 && IsVouchedFor(certificate, chain))
            {
                return true;
            }

            status = chain.ChainStatus.Aggregate(status, (all, one) => all | one.Status);
        }

        Rejection = errors switch
        {
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => "it has no certificate",
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) => "its certificate is for another name",
            _ when status.HasFlag(X509ChainStatusFlags.NotTimeValid) => "its certificate is not valid at this time",
            _ when (status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0 => "its certificate is signed by an unknown authority",
            _ => $"its certificate is not valid ({status})",
        };
        return false;
    }

    private bool IsVouchedFor(X509Certificate certificate, X509Chain chain)
    {
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.DisableCertificateDownloads = true;
        foreach (var element in chain.ChainElements)
        {
            own.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return own.Build(certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()));
    }

    private void Read(string directory)
    {
        foreach (var path in Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal))
        {
            try
            {
                switch (Path.GetExtension(path))
                {
                    case ".crt":
                        authorities.ImportFromPemFile(path);
                        break;
                    case ".cert":
                        var key = Path.ChangeExtension(path, ".key");
                        if (!File.Exists(key))
                        {
                            throw new RegistryException($"client certificate {path} has no key {Path.GetFileName(key)}");
                        }

                        ClientCertificates.Add(X509Certificate2.CreateFromPemFile(path, key));
                        break;
                }
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new RegistryException($"reading certificate {path}: {Printable.Clip(e.Message)}");
            }
        }
    }
}
