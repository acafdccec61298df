using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary>socat in front of a registry, demanding a client certificate from <c>clients.pem</c>.</summary>
internal sealed class TlsProxy : IDisposable
{
    private readonly Process process;

    public TlsProxy(ScratchDirectory scratch, string target, ref int port)
    {
        for (int tries = 0; ; tries++)
        {
            using (var listener = new TcpListener(IPAddress.Loopback, 0))
            {
                listener.Start();
                port = ((IPEndPoint)listener.LocalEndpoint).Port;
            }

            string listen = $"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,cert={scratch["certs/ca.crt"]},key={scratch["server.key"]},cafile={scratch["clients.pem"]},verify=1";
            process = Process.Start(new ProcessStartInfo("socat", [listen, "TCP:" + target]) { RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            if (LocalRegistry.Listens(process, port))
                return;
            process.Dispose();
            if (tries == 5)
                throw new ToolException("socat: did not start");
        }
    }

    public void Dispose()
    {
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }
}
