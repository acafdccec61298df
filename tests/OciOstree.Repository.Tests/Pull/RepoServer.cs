using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OciOstree.Repository.Tests;

/// <summary>A web server on loopback for a directory, with faults on request.</summary>
internal sealed class RepoServer : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly string root;

    public RepoServer(string root)
    {
        this.root = root;
        using (TcpListener free = new(IPAddress.Loopback, 0))
        {
            free.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        }
        listener.Prefixes.Add(Url);
        listener.Start();
        new Thread(Serve) { IsBackground = true }.Start();
    }

    public string Url { get; }

    /// <summary>Called before a file is served; true says that the answer has been given.</summary>
    public Func<string, HttpListenerContext, bool> Fault { get; set; } = static (_, _) => false;

    public ConcurrentBag<string> Requests { get; } = [];

    private void Serve()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = listener.GetContext();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
            ThreadPool.QueueUserWorkItem(_ => Answer(context));
        }
    }

    private void Answer(HttpListenerContext context)
    {
        try
        {
            string path = Uri.UnescapeDataString(context.Request.Url!.AbsolutePath.TrimStart('/'));
            Requests.Add(path);
            if (Fault(path, context))
                return;
            if (!File.Exists(Path.Combine(root, path)))
            {
                context.Response.StatusCode = 404;
                context.Response.Close();
                return;
            }
            byte[] bytes = File.ReadAllBytes(Path.Combine(root, path));
            if (context.Request.Headers["Range"] is { } range)
            {
                int from = int.Parse(range["bytes=".Length..^1]);
                context.Response.StatusCode = 206;
                context.Response.Headers["Content-Range"] = $"bytes {from}-{bytes.Length - 1}/{bytes.Length}";
                bytes = bytes[from..];
            }
            context.Response.ContentLength64 = bytes.Length;
            context.Response.OutputStream.Write(bytes);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or InvalidOperationException)
        {
            context.Response.Abort(); // the client went away
        }
    }

    public void Dispose() => listener.Close();
}
