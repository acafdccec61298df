namespace OciOstree.Registry;

/// <summary>What a registry is told to know us by.</summary>
public sealed record RegistryCredential
{
    public string Username { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>An OAuth2 refresh token (<c>identitytoken</c>), which replaces the password.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>Never shows the secrets, wherever it is printed.</summary>
    public override string ToString() => $"credential of {Username}";
}
