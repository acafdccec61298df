using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary>Debian's docker-registry on a free port of the loopback interface, open, behind a password, behind TLS, or behind a token server.</summary>
internal sealed class LocalRegistry : IDisposable
{
    public const string User = "alice";
    public const string Password = "s3cret-pass";
    private readonly Process process;

    private LocalRegistry(ScratchDirectory scratch, string http, string auth = "")
    {
        for (int tries = 0; ; tries++)
        {
            int port = FreePort();
            Host = $"127.0.0.1:{port}";
            process = Start(scratch, port, http, auth);
            if (Listens(process, port))
                return;
            process.Dispose();
            // It cannot be told to take any port that is free, and another program was faster.
            if (tries == 5)
                throw new ToolException("docker-registry: did not start");
        }
    }

    private static Process Start(ScratchDirectory scratch, int port, string http, string auth)
    {
        string configuration = scratch.Write($"registry-{port}.yml", $"""
            version: 0.1
            log:
              level: error
            storage:
              filesystem:
                rootdirectory: {scratch[$"registry-{port}"]}
              delete:
                enabled: true
            http:
              addr: 127.0.0.1:{port}
            {http}
            {auth}
            """);
        var start = new ProcessStartInfo("docker-registry", ["serve", configuration]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["OTEL_TRACES_EXPORTER"] = "none";
        Process process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary><c>127.0.0.1:PORT</c>.</summary>
    public string Host { get; }

    public static LocalRegistry Open(ScratchDirectory scratch) => new(scratch, "");

    public static LocalRegistry WithPassword(ScratchDirectory scratch)
    {
        scratch.Write("htpasswd", Tool.Run("htpasswd", "-Bbn", User, Password).Ok().Output);
        return new(scratch, "", $"""
            auth:
              htpasswd:
                realm: lab
                path: {scratch["htpasswd"]}
            """);
    }

    /// <summary>The certificate is at <c>certs/ca.crt</c> of the scratch directory.</summary>
    public static LocalRegistry WithTls(ScratchDirectory scratch)
    {
        scratch.MakeDirectory("certs");
        MakeCertificate(scratch["certs/ca.crt"], scratch["server.key"], "localhost");
        return new(scratch, $"""
              tls:
                certificate: {scratch["certs/ca.crt"]}
                key: {scratch["server.key"]}
            """);
    }

    /// <summary>The tokens that it accepts are signed by <paramref name="certificate"/>'s key.</summary>
    public static LocalRegistry WithTokens(ScratchDirectory scratch, string realm, string certificate) => new(scratch, "", $"""
        auth:
          token:
            realm: {realm}
            service: lab-svc
            issuer: lab-iss
            rootcertbundle: {certificate}
        """);

    public static void MakeCertificate(string certificate, string key, string name) =>
        Tool.Run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
            "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1").Ok();

    /// <summary>An auth.json with the right password.</summary>
    public string AuthFile(ScratchDirectory scratch, string password = Password) =>
        scratch.Write($"auth-{password.Length}.json", $$$"""{"auths":{"{{{Host}}}":{"auth":"{{{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{password}"))}}}"} } }""");

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until a program accepts connections; false if it ends first, as when its port is taken.</summary>
    internal static bool Listens(Process process, int port)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                using var client = new TcpClient("127.0.0.1", port);
                // Whoever took the port answers, too; our program has ended then or is about to.
                return !process.WaitForExit(50);
            }
            catch (SocketException) when (tries < 600 && !process.HasExited)
            {
                Thread.Sleep(50);
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }
}
