namespace OciOstree.Registry.Http;

/// <summary>One place to look for a repository: the registry itself or a mirror of it.</summary>
/// <param name="Host">With its port; certificates and credentials go by it.</param>
/// <param name="Repository">The path there.</param>
/// <param name="Insecure">Any certificate will do, and plain HTTP where TLS is not spoken.</param>
/// <param name="PlainHttp">Plain HTTP will do where TLS is not spoken, but a certificate that is shown must be right.</param>
internal sealed record Endpoint(string Host, string Repository, bool Insecure, bool PlainHttp = false)
{
    /// <summary>Where the API is: Docker Hub's is not at the name it goes by.</summary>
    internal string ApiHost => Host == "docker.io" ? "registry-1.docker.io" : Host;

    public override string ToString() => $"{Host}/{Repository}";
}
