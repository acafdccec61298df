using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OciOstree.Testing;

/// <summary>An HTTP/1.1 server on the loopback interface that does exactly what a test tells it to, however wrong.</summary>
public sealed class TestServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> clients = [];
    private readonly Action<HttpExchange> handler;

    public TestServer(Action<HttpExchange> handler)
    {
        this.handler = handler;
        listener.Server.NoDelay = true; // each accepted socket has it too
        listener.Start();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    /// <summary><c>127.0.0.1:PORT</c>.</summary>
    public string Host => listener.LocalEndpoint.ToString()!;

    /// <summary>All requests so far, in the order in which they were read.</summary>
    public ConcurrentQueue<HttpExchange> Requests { get; } = [];

    /// <summary>After how many bytes of a request's body (by method and target) the connection breaks; null lets it through.</summary>
    public Func<string, string, int?>? BreakBodyAt { get; set; }

    public void Dispose()
    {
        listener.Dispose();
        foreach (TcpClient client in clients)
            client.Dispose();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                TcpClient client = listener.AcceptTcpClient();
                clients.Add(client);
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed: the test is over.
        }
    }

    private void Serve(TcpClient client)
    {
        try
        {
            NetworkStream stream = client.GetStream();
            using BufferedStream input = new(stream);
            while (HttpExchange.Read(stream, input, BreakBodyAt) is { } exchange)
            {
                Requests.Enqueue(exchange);
                if (!exchange.IsClosed)
                    handler(exchange);
                if (exchange.IsClosed)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or NotSupportedException)
        {
            // The client has gone, which tests provoke, or the test is over: a buffer says of a closed socket that it cannot be read.
        }
        finally
        {
            client.Dispose();
        }
    }
}
