using OciOstree.Linux;
using OciOstree.Registry.Http;

namespace OciOstree.Registry.Signatures;

/// <summary>
/// Signatures in files named by the manifest, <c>BASE/REPOSITORY@sha256=HEX/signature-N</c> (containers-registries.d(5), "lookaside"): the
/// first that is missing ends them.
/// </summary>
internal static class LookasideStore
{
    /// <summary>As in containers/image.</summary>
    private const int CountLimit = 128;

    /// <param name="start">All of a name before its number.</param>
    internal static List<ImageSignature> ReadFiles(string start) => ReadAll(start, path =>
    {
        try
        {
            return Files.ReadNamed(path, ImageSignature.SizeLimit);
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RegistryException($"reading signature {path}: {e.Message}");
        }
    });

    /// <param name="place">The base, <c>file:</c>, <c>http:</c> or <c>https:</c>.</param>
    internal static List<ImageSignature> Read(Uri place, string repository, Digest manifest, RegistryOptions options, CancellationToken cancellationToken)
    {
        var under = $"/{repository}@{manifest.Algorithm}={manifest.Hex}/signature-";
        if (place.Scheme == Uri.UriSchemeFile)
        {
            return ReadFiles(Uri.UnescapeDataString(place.AbsolutePath) + under);
        }

        if (place.Scheme is not ("http" or "https"))
        {
            throw new RegistryException($"signatures at {Printable.Clip(place.ToString())}: only file, http and https can be read");
        }

        // It is no registry, and no registry's password is for it.
        using var client = new RegistryClient(new Endpoint(place.Authority, "", Insecure: options.TlsVerify == false), options, () => null, root: place);
        var path = place.AbsolutePath == "/" && !place.OriginalString.EndsWith('/') ? "" : place.AbsolutePath;
        return ReadAll($"{place.Scheme}://{place.Authority}{path}{under}", address =>
            client.TryFetch(new RegistryRequest(HttpMethod.Get, address + place.Query, ""), ImageSignature.SizeLimit, cancellationToken)?.Body);
    }

    private static List<ImageSignature> ReadAll(string start, Func<string, byte[]?> read)
    {
        var found = new List<ImageSignature>();
        for (var number = 1; read($"{start}{number}") is { } bytes; number++)
        {
            if (number > CountLimit)
            {
                throw new RegistryException($"more than {CountLimit} signatures at {start}");
            }

            try
            {
                found.Add(ImageSignature.Parse(bytes));
            }
            catch (RegistryException e)
            {
                throw new RegistryException($"reading signature {start}{number}", e);
            }
        }

        return found;
    }
}
