using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary>The token server of the distribution project's token authentication: anybody may pull, only the right user may push.</summary>
internal sealed class TokenIssuer : IDisposable
{
    private readonly X509Certificate2 certificate;
    private readonly RSA key;

    public TokenIssuer(ScratchDirectory scratch)
    {
        CertificatePath = scratch["token.crt"];
        LocalRegistry.MakeCertificate(CertificatePath, scratch["token.key"], "lab-iss");
        certificate = X509Certificate2.CreateFromPemFile(CertificatePath, scratch["token.key"]);
        key = certificate.GetRSAPrivateKey()!;
        Server = new TestServer(Issue);
    }

    public TestServer Server { get; }

    public string CertificatePath { get; }

    public string Realm => $"http://{Server.Host}/token";

    public void Dispose()
    {
        Server.Dispose();
        key.Dispose();
        certificate.Dispose();
    }

    private void Issue(HttpExchange exchange)
    {
        string? user = null;
        if (exchange.Headers.TryGetValue("Authorization", out string? header))
        {
            if (Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..])) != $"{LocalRegistry.User}:{LocalRegistry.Password}")
            {
                exchange.Respond(401);
                return;
            }
            user = LocalRegistry.User;
        }

        string[] scope = exchange.Query("scope")!.Split(':');
        var actions = scope[2].Split(',').Where(a => a == "pull" || user is not null).Select(a => $"\"{a}\"");
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string signed = Encode($$"""{"typ":"JWT","alg":"RS256","x5c":["{{Convert.ToBase64String(certificate.RawData)}}"]}""") + "."
            + Encode($$"""{"iss":"lab-iss","sub":"{{user}}","aud":"lab-svc","exp":{{now + 300}},"nbf":{{now - 10}},"iat":{{now}},"jti":"{{Guid.NewGuid()}}","access":[{"type":"repository","name":"{{scope[1]}}","actions":[{{string.Join(",", actions)}}]}]}""");
        string signature = Encode(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        exchange.Respond(200, Encoding.UTF8.GetBytes($$"""{"token":"{{signed}}.{{signature}}","expires_in":300}"""), ("Content-Type", "application/json"));
    }

    private static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
