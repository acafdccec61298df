using System.Formats.Tar;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>A registry with tiny images, and signatures beside them as cosign puts them there.</summary>
internal sealed class SignedRegistry : IDisposable
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json", IndexType = "application/vnd.oci.image.index.v1+json";

    private readonly RegistryServer server;
    private readonly HttpClient client;

    public SignedRegistry(ScratchDirectory scratch)
    {
        server = RegistryServer.Start(scratch);
        client = new HttpClient { BaseAddress = new Uri($"http://{server.Host}/") };
    }

    /// <summary><c>127.0.0.1:PORT</c>.</summary>
    public string Host => server.Host;

    public void Dispose()
    {
        client.Dispose();
        server.Dispose();
    }

    /// <summary>Puts an image there and gives its manifest.</summary>
    /// <param name="content">What makes it another image than others.</param>
    public byte[] PushImage(string repository, string tag, string content)
    {
        byte[] manifest = Image(repository, content, "amd64");
        PutManifest(repository, tag, manifest, ManifestType);
        return manifest;
    }

    /// <summary>Puts an index of two images there and gives the manifests: of the index, and of the image for this machine.</summary>
    public (byte[] Index, byte[] Instance) PushIndex(string repository, string tag)
    {
        List<string> entries = [];
        byte[] own = [];
        foreach (string architecture in (string[])["amd64", "arm64"])
        {
            byte[] manifest = Image(repository, "for " + architecture, architecture);
            PutManifest(repository, DigestOf(manifest), manifest, ManifestType);
            entries.Add($$"""{"mediaType":"{{ManifestType}}","digest":"{{DigestOf(manifest)}}","size":{{manifest.Length}},"platform":{"architecture":"{{architecture}}","os":"linux"} }""");
            if (architecture == (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64"))
                own = manifest;
        }
        byte[] index = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{IndexType}}","manifests":[{{string.Join(',', entries)}}]}""");
        PutManifest(repository, tag, index, IndexType);
        return (index, own);
    }

    /// <summary>Attaches payloads to a manifest, each with its annotations.</summary>
    public void Attach(string repository, byte[] manifest, params (string Payload, Dictionary<string, string> Annotations)[] signatures)
    {
        List<string> layers = [];
        foreach ((string payload, Dictionary<string, string> annotations) in signatures)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(payload);
            PutBlob(repository, bytes);
            string written = string.Join(',', annotations.Select(pair => $"{JsonSerializer.Serialize(pair.Key)}:{JsonSerializer.Serialize(pair.Value)}"));
            layers.Add($$"""{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"{{DigestOf(bytes)}}","size":{{bytes.Length}},"annotations":{ {{written}} } }""");
        }
        byte[] config = "{}"u8.ToArray();
        PutBlob(repository, config);
        PutManifest(repository, DigestOf(manifest).Replace(':', '-') + ".sig",
            Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{DigestOf(config)}}","size":2},"layers":[ {{string.Join(',', layers)}}]}"""), ManifestType);
    }

    /// <summary>What cosign signs.</summary>
    public static string Payload(string digest, string reference, string optional = "null", string type = "cosign container image signature") =>
        $$"""{"critical":{"identity":{"docker-reference":"{{reference}}"},"image":{"docker-manifest-digest":"{{digest}}"},"type":"{{type}}"},"optional":{{optional}}}""";

    public static string DigestOf(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    private byte[] Image(string repository, string content, string architecture)
    {
        using MemoryStream tar = new(), gzip = new();
        using (TarWriter writer = new(tar, leaveOpen: true))
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "usr/content") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)), ModificationTime = DateTimeOffset.UnixEpoch });
        using (GZipStream compressor = new(gzip, CompressionLevel.Fastest, leaveOpen: true))
            compressor.Write(tar.ToArray());
        byte[] layer = gzip.ToArray();
        byte[] config = Encoding.UTF8.GetBytes($$"""{"architecture":"{{architecture}}","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["{{DigestOf(tar.ToArray())}}"]},"history":[]}""");
        PutBlob(repository, layer);
        PutBlob(repository, config);
        return Encoding.UTF8.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{DigestOf(config)}}","size":{{config.Length}}},
            "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{DigestOf(layer)}}","size":{{layer.Length}}}]}
            """);
    }

    private void PutBlob(string repository, byte[] bytes)
    {
        using HttpResponseMessage begun = client.Send(new HttpRequestMessage(HttpMethod.Post, $"v2/{repository}/blobs/uploads/")).EnsureSuccessStatusCode();
        string location = begun.Headers.Location!.ToString();
        using HttpRequestMessage put = new(HttpMethod.Put, $"{location}{(location.Contains('?') ? '&' : '?')}digest={DigestOf(bytes)}") { Content = new ByteArrayContent(bytes) };
        put.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using HttpResponseMessage done = client.Send(put).EnsureSuccessStatusCode();
    }

    private void PutManifest(string repository, string reference, byte[] manifest, string type)
    {
        using HttpRequestMessage put = new(HttpMethod.Put, $"v2/{repository}/manifests/{reference}") { Content = new ByteArrayContent(manifest) };
        put.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using HttpResponseMessage done = client.Send(put).EnsureSuccessStatusCode();
    }
}
