using OciOstree.Formats.Yaml;

namespace OciOstree.Registry.Configuration;

/// <summary>What registries.d says of one scope.</summary>
/// <param name="Lookaside">Where signatures in files begin.</param>
/// <param name="UseSigstoreAttachments">Null if it says nothing.</param>
internal sealed record SignaturePlace(string? Lookaside, bool? UseSigstoreAttachments)
{
    internal static SignaturePlace Read(string scope, object value)
    {
        if (value is YamlScalar { IsNull: true })
        {
            return new SignaturePlace(null, null);
        }

        var members = (value as YamlMapping ?? throw new RegistryException($"{scope} is no mapping")).Values;

        // "sigstore" is the older name of it, from before there was a project of that name.
        return new SignaturePlace(Text("lookaside") ?? Text("sigstore"), Flag("use-sigstore-attachments"));

        string? Text(string name) => members.GetValueOrDefault(name) switch
        {
            null => null,
            YamlScalar { Text: var text, IsNull: var isNull } => isNull || text.Length == 0 ? null : text,
            _ => throw new RegistryException($"{name} of {scope} is no text"),
        };

        bool? Flag(string name) => members.GetValueOrDefault(name) switch
        {
            null or YamlScalar { IsNull: true } => null,
            YamlScalar scalar when scalar.AsBoolean() is { } flag => flag,
            _ => throw new RegistryException($"{name} of {scope} is neither true nor false"),
        };
    }
}
