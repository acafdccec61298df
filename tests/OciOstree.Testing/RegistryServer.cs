using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OciOstree.Testing;

/// <summary>Debian's <c>docker-registry</c> on a free port of the loopback, plain HTTP, storing below a scratch directory.</summary>
public sealed class RegistryServer : IDisposable
{
    private readonly Process process;

    private RegistryServer(Process process, int port, string directory)
    {
        this.process = process;
        Port = port;
        Directory = directory;
    }

    public int Port { get; }

    /// <summary><c>127.0.0.1:PORT</c>, as image references begin.</summary>
    public string Host => $"127.0.0.1:{Port}";

    /// <summary>Where its blobs are; its log is <c>log</c> in there.</summary>
    public string Directory { get; }

    public static RegistryServer Start(ScratchDirectory scratch, string name = "registry")
    {
        string directory = scratch.MakeDirectory(name);
        for (int tries = 0; ; tries++)
        {
            int port = FreePort();
            string configuration = scratch.Write($"{name}/config.yml", $$"""
                version: 0.1
                log: { level: warn, accesslog: { disabled: true } }
                storage: { filesystem: { rootdirectory: {{directory}}/data }, delete: { enabled: true } }
                http: { addr: 127.0.0.1:{{port}} }
                """);
            var info = new ProcessStartInfo("sh", ["-c", "exec docker-registry serve \"$0\" >\"$1\" 2>&1", configuration, directory + "/log"]);
            var process = Process.Start(info) ?? throw new ToolException("docker-registry did not start");
            if (Answers(process, port))
                return new RegistryServer(process, port, directory);
            process.Dispose();
            if (tries == 5)
                throw new ToolException("docker-registry did not start (is it installed?): " + File.ReadAllText(directory + "/log"));
        }
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    // Somebody may take a port between the question and its use: then the registry ends, and another is drawn.
    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private static bool Answers(Process process, int port)
    {
        for (long end = Environment.TickCount64 + 10_000; Environment.TickCount64 < end && !process.HasExited; Thread.Sleep(20))
        {
            try
            {
                using var client = new TcpClient("127.0.0.1", port);
                return !process.HasExited;
            }
            catch (SocketException)
            {
                // Not listening yet.
            }
        }
        return false;
    }
}
