using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace OciOstree.Testing;

/// <summary>
/// A registry in memory that speaks the distribution API correctly, and whose every answer a test can replace.
/// </summary>
public sealed class FakeRegistry : IDisposable
{
    private readonly ConcurrentDictionary<string, MemoryStream> uploads = new();
    private int nextUpload;

    public FakeRegistry()
    {
        Server = new TestServer(Handle);
    }

    public TestServer Server { get; }

    public string Host => Server.Host;

    /// <summary>By <c>repository@digest</c>.</summary>
    public ConcurrentDictionary<string, byte[]> Blobs { get; } = new();

    /// <summary>By <c>repository:tag</c> and <c>repository@digest</c>.</summary>
    public ConcurrentDictionary<string, (byte[] Bytes, string MediaType)> Manifests { get; } = new();

    /// <summary>Answers a request in the registry's place when it returns true.</summary>
    public Func<HttpExchange, bool>? Intercept { get; set; }

    /// <summary>Whether blobs are served from where a <c>Range</c> asks.</summary>
    public bool KnowsRanges { get; set; } = true;

    public static string DigestOf(ReadOnlySpan<byte> bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    public string AddBlob(string repository, byte[] bytes)
    {
        string digest = DigestOf(bytes);
        Blobs[$"{repository}@{digest}"] = bytes;
        return digest;
    }

    public string AddManifest(string repository, string tag, string json, string mediaType = "application/vnd.oci.image.manifest.v1+json")
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        Manifests[$"{repository}:{tag}"] = (bytes, mediaType);
        Manifests[$"{repository}@{DigestOf(bytes)}"] = (bytes, mediaType);
        return DigestOf(bytes);
    }

    /// <summary>An image with these layers (their bytes are not looked at), tagged.</summary>
    public string AddImage(string repository, string tag, params byte[][] layers)
    {
        string config = $$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{string.Join(",", layers.Select(l => $"\"{DigestOf(l)}\""))}}}]}}""";
        byte[] configBytes = Encoding.UTF8.GetBytes(config);
        string layerList = string.Join(",", layers.Select(l =>
            $$"""{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{AddBlob(repository, l)}}","size":{{l.Length}}}"""));
        return AddManifest(repository, tag, $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{AddBlob(repository, configBytes)}}","size":{{configBytes.Length}}},"layers":[{{layerList}}]}""");
    }

    public void Dispose() => Server.Dispose();

    private void Handle(HttpExchange exchange)
    {
        if (Intercept?.Invoke(exchange) == true)
            return;
        string path = exchange.Path;
        if (path == "/v2/")
            exchange.Respond(200);
        else if (path.Contains("/blobs/uploads/"))
            Upload(exchange, path["/v2/".Length..path.IndexOf("/blobs/", StringComparison.Ordinal)]);
        else if (path.IndexOf("/blobs/", StringComparison.Ordinal) is var blobs and > 0)
            ServeBlob(exchange, path["/v2/".Length..blobs], path[(blobs + 7)..]);
        else if (path.IndexOf("/manifests/", StringComparison.Ordinal) is var manifests and > 0)
            ServeManifest(exchange, path["/v2/".Length..manifests], path[(manifests + 11)..]);
        else
            exchange.Respond(404);
    }

    private void ServeManifest(HttpExchange exchange, string repository, string reference)
    {
        string key = repository + (reference.Contains(':') ? "@" : ":") + reference;
        if (exchange.Method == "PUT")
        {
            Manifests[key] = (exchange.Body, exchange.Headers["Content-Type"]);
            exchange.Respond(201, null, ("Docker-Content-Digest", DigestOf(exchange.Body)));
        }
        else if (Manifests.TryGetValue(key, out (byte[] Bytes, string MediaType) manifest))
            exchange.Respond(200, manifest.Bytes, ("Content-Type", manifest.MediaType), ("Docker-Content-Digest", DigestOf(manifest.Bytes)));
        else
            exchange.Respond(404, """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"""u8.ToArray());
    }

    private void ServeBlob(HttpExchange exchange, string repository, string digest)
    {
        if (!Blobs.TryGetValue($"{repository}@{digest}", out byte[]? blob))
        {
            exchange.Respond(404, """{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"""u8.ToArray());
        }
        else if (KnowsRanges && exchange.Headers.TryGetValue("Range", out string? range))
        {
            int from = int.Parse(range["bytes=".Length..^1]);
            exchange.Respond(206, blob[from..], ("Content-Range", $"bytes {from}-{blob.Length - 1}/{blob.Length}"));
        }
        else
        {
            exchange.Respond(200, blob);
        }
    }

    private void Upload(HttpExchange exchange, string repository)
    {
        switch (exchange.Method)
        {
            case "POST" when exchange.Query("mount") is { } digest && exchange.Query("from") is { } from && Blobs.TryGetValue($"{from}@{digest}", out byte[]? known):
                Blobs[$"{repository}@{digest}"] = known;
                exchange.Respond(201);
                break;
            case "POST":
                string id = Interlocked.Increment(ref nextUpload).ToString();
                uploads[id] = new MemoryStream();
                exchange.Respond(202, null, ("Location", $"/v2/{repository}/blobs/uploads/{id}?state=1"));
                break;
            case var method when uploads.TryGetValue(exchange.Path[(exchange.Path.LastIndexOf('/') + 1)..], out MemoryStream? upload):
                Continue(exchange, method, repository, upload);
                break;
            default:
                exchange.Respond(404);
                break;
        }
    }

    private void Continue(HttpExchange exchange, string method, string repository, MemoryStream upload)
    {
        if (method == "GET")
        {
            exchange.Respond(204, null, ("Range", $"0-{Math.Max(0, upload.Length - 1)}"));
            return;
        }
        upload.Write(exchange.Body);
        if (method == "PATCH")
        {
            exchange.Respond(202, null, ("Location", exchange.Target), ("Range", $"0-{Math.Max(0, upload.Length - 1)}"));
            return;
        }
        byte[] bytes = upload.ToArray();
        if (DigestOf(bytes) != exchange.Query("digest"))
        {
            exchange.Respond(400, """{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}"""u8.ToArray());
            return;
        }
        AddBlob(repository, bytes);
        exchange.Respond(201);
    }
}
