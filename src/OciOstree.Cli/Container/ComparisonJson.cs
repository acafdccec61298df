using System.Text.Json.Serialization;
using OciOstree.Container;

namespace OciOstree.Cli.Container;

/// <summary>What <c>container compare --json</c> prints.</summary>
internal sealed record Comparison(ComparedImage Old, ComparedImage New, ComparedLayers Layers, ComparedComponents Components, ComparedPackages? Packages);

internal sealed record ComparedImage(string Image, string Digest, string? Version, string? OstreeCommit, long Size);

internal sealed record ComparedLayers(int Total, long TotalSize, int Shared, long SharedSize, long BytesToFetch, IReadOnlyList<ComparedLayer> Added, IReadOnlyList<ComparedLayer> Removed);

internal sealed record ComparedLayer(string Digest, long Size, IReadOnlyList<string> Components, string CreatedBy);

internal sealed record ComparedComponents(IReadOnlyList<string> Added, IReadOnlyList<string> Removed, IReadOnlyList<string> Changed);

internal sealed record ComparedPackages(int Old, int New, IReadOnlyList<ComparedPackage> Added, IReadOnlyList<ComparedPackage> Removed, IReadOnlyList<UpdatedPackage> Updated);

internal sealed record ComparedPackage(string Type, string Name, string Version, string Architecture)
{
    public static ComparedPackage From(Package package) => new(TypeOf(package), package.Name, package.Version, package.Architecture);

    public static string TypeOf(Package package) => package.Kind switch
    {
        PackageKind.Deb => "deb",
        PackageKind.Rpm => "rpm",
        PackageKind.Apk => "apk",
        _ => "pacman",
    };
}

internal sealed record UpdatedPackage(string Type, string Name, string From, string To, string Architecture)
{
    public static UpdatedPackage Of(PackageUpdate update) => new(ComparedPackage.TypeOf(update.To), update.To.Name, update.From.Version, update.To.Version, update.To.Architecture);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Comparison))]
internal sealed partial class ComparisonJson : JsonSerializerContext;
