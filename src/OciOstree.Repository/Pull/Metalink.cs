using System.Globalization;
using System.Security.Cryptography;
using System.Xml;

namespace OciOstree.Repository;

/// <summary>
/// What a metalink (version 3, <c>metalink/files/file</c>) says about one file: its size, its digests and the addresses where it can be had.
/// </summary>
public sealed class Metalink
{
    /// <summary>A metalink of a distribution with hundreds of mirrors has some hundred kilobytes.</summary>
    public const int MaxSize = 4 << 20;

    private const int MaxUrls = 1000, MaxText = 8192, MaxDepth = 64;

    private string? sha256, sha512;
    private bool otherHashes;

    private Metalink()
    {
    }

    public long Size { get; private set; }

    /// <summary>HTTP addresses in the order of the document, at least one.</summary>
    public IReadOnlyList<Uri> Urls { get; private set; } = [];

    /// <summary>Reads what a document says about the file of a name, of which the first with addresses counts.</summary>
    /// <returns>Null if it does not name that file.</returns>
    /// <exception cref="MetalinkException">It is no metalink, or the file lacks a size, a digest or an address.</exception>
    public static Metalink? Parse(ReadOnlyMemory<byte> document, string fileName)
    {
        if (document.Length > MaxSize)
            throw new MetalinkException($"Metalink is longer than {MaxSize} bytes");
        // Nothing that the document names is fetched, and nothing in it unfolds: it comes from whoever answers for the address.
        XmlReaderSettings settings = new()
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxSize,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        bool begun = false;
        try
        {
            using XmlReader reader = XmlReader.Create(new MemoryStream(document.ToArray(), writable: false), settings);
            return Read(reader, fileName, ref begun);
        }
        catch (XmlException e) when (!begun && !document.Span.TrimStart(" \t\r\n"u8).StartsWith("<"u8))
        {
            throw new MetalinkException($"Error on line {Math.Max(1, e.LineNumber)} char {Math.Max(1, e.LinePosition)}: Document must begin with an element (e.g. <book>)");
        }
        catch (Exception e) when (e is XmlException or ArgumentException or InvalidOperationException)
        {
            throw new MetalinkException("Malformed metalink", e);
        }
    }

    private static Metalink? Read(XmlReader reader, string fileName, ref bool begun)
    {
        List<string> path = [];
        List<Uri> urls = [];
        Metalink? found = null;
        bool anyFile = false, anyResource = false, current = false, http = false;
        string? hash = null;
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    begun = true;
                    if (path.Count == MaxDepth)
                        throw new MetalinkException($"Elements are nested deeper than {MaxDepth}");
                    bool empty = reader.IsEmptyElement;
                    path.Add(reader.LocalName);
                    Enter();
                    if (empty)
                        Leave();
                    break;
                case XmlNodeType.EndElement:
                    Leave();
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA when found is not null && urls.Count < MaxUrls && Reading():
                    Text(reader.Value.Length <= MaxText ? reader.Value.Trim() : throw new MetalinkException($"<{path[^1]}> is longer than {MaxText} characters"));
                    break;
            }
        }
        if (!anyFile)
            throw new MetalinkException("No <file> element found");
        if (found is null)
            return null;
        found.Complete(urls, anyResource);
        return found;

        bool At(params ReadOnlySpan<string> names) => path.Count == names.Length + 3 && IsFile() && names.SequenceEqual(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(path)[3..]);

        bool IsFile() => path[0] == "metalink" && path[1] == "files" && path[2] == "file";

        // Past the file that was looked for, and past others, nothing counts.
        bool Reading() => path.Count > 3 && current;

        void Enter()
        {
            if (path.Count == 3 && IsFile())
            {
                if (urls.Count > 0)
                    return;
                string name = reader.GetAttribute("name") ?? throw new MetalinkException("element 'file' requires attribute 'name'");
                anyFile = true;
                current = name == fileName;
                if (current)
                    found ??= new Metalink();
            }
            else if (Reading() && At("verification", "hash"))
            {
                hash = reader.GetAttribute("type") ?? throw new MetalinkException("element 'hash' requires attribute 'type'");
                if (hash is not ("sha256" or "sha512"))
                    found!.otherHashes = true;
            }
            else if (Reading() && path.Count == 5 && path[3] == "resources")
            {
                anyResource = true;
                if (path[4] == "url")
                    http = (reader.GetAttribute("protocol") ?? throw new MetalinkException("element 'url' requires attribute 'protocol'")) is "http" or "https";
            }
        }

        void Leave()
        {
            if (path.Count == 3)
                current = false;
            path.RemoveAt(path.Count - 1);
        }

        void Text(string text)
        {
            if (At("size"))
                found!.Size = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long size) ? size : 0;
            else if (At("verification", "hash") && hash == "sha256")
                found!.sha256 = text;
            else if (At("verification", "hash") && hash == "sha512")
                found!.sha512 = text;
            else if (At("resources", "url") && http && Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https")
                urls.Add(url);
        }
    }

    private void Complete(List<Uri> urls, bool anyResource)
    {
        if (anyResource && Size == 0)
            throw new MetalinkException("No <size> element found or it is zero");
        if (sha256 is null && sha512 is null)
            throw new MetalinkException(anyResource || otherHashes ? "No <verification> element with known <hash type=> found" : "No <verification> hash for sha256 or sha512 found");
        if (sha256 is not null && !IsHex(sha256, 64))
            throw new MetalinkException("Invalid hash digest for sha256");
        if (sha512 is not null && !IsHex(sha512, 128))
            throw new MetalinkException("Invalid hash digest for sha512");
        if (urls.Count == 0)
            throw new MetalinkException("No <url method='http'> elements found");
        Urls = urls;
    }

    private static bool IsHex(string text, int length) => text.Length == length && !text.AsSpan().ContainsAnyExcept("0123456789abcdef");

    /// <summary>Compares what was fetched with the size and the stronger of the digests.</summary>
    /// <exception cref="MetalinkException">It is something else.</exception>
    public void Verify(ReadOnlySpan<byte> content)
    {
        if (content.Length != Size)
            throw new MetalinkException($"Expected size is {Size} bytes but content is {content.Length} bytes");
        string expected = sha512 ?? sha256!;
        string actual = Convert.ToHexStringLower(sha512 is not null ? SHA512.HashData(content) : SHA256.HashData(content));
        if (actual != expected)
            throw new MetalinkException($"Expected checksum is {expected} but actual is {actual}");
    }
}
