using System.Net.Http.Headers;

namespace OciOstree.Registry.Http;

/// <summary>A request that can be sent more than once.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Target">A path below the registry's root (<c>/v2/…</c>) or a whole address that the registry gave.</param>
/// <param name="Scope">What the token must allow.</param>
internal sealed record RegistryRequest(HttpMethod Method, string Target, string Scope)
{
    internal IReadOnlyList<string> Accept { get; init; } = [];

    internal RangeHeaderValue? Range { get; init; }

    /// <summary>Makes the body anew for every attempt.</summary>
    internal Func<HttpContent>? Content { get; init; }
}
