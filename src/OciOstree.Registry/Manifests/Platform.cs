using System.Runtime.InteropServices;

namespace OciOstree.Registry;

/// <summary>Where an image runs, in Go's words: <c>linux/arm64/v8</c>.</summary>
public sealed record Platform(string Os, string Architecture, string? Variant = null)
{
    /// <summary>This machine's.</summary>
    public static Platform Current { get; } = new("linux", GoArchitecture(RuntimeInformation.OSArchitecture));

    /// <summary>Reads <c>os/arch[/variant]</c>, or only an architecture, which means Linux.</summary>
    /// <exception cref="RegistryException">It has another shape.</exception>
    public static Platform Parse(string text)
    {
        var parts = text.Split('/');
        if (parts.Length > 3 || parts.Any(p => p.Length == 0))
        {
            throw new RegistryException($"invalid platform '{Printable.Clip(text)}': want os/architecture[/variant]");
        }

        return parts.Length == 1
            ? new Platform("linux", Normalise(parts[0]))
            : new Platform(parts[0], Normalise(parts[1]), parts.Length == 3 ? parts[2] : null);
    }

    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    /// <summary>
    /// How well an image for <paramref name="offered"/> suits this platform: 0 not at all, higher is better. arm64's only
    /// variant in use is v8, so it and no variant mean the same.
    /// </summary>
    internal int Score(Platform offered)
    {
        if (offered.Os != Os || offered.Architecture != Architecture)
        {
            return 0;
        }

        var wanted = Variant ?? (Architecture == "arm64" ? "v8" : null);
        var given = offered.Variant ?? (Architecture == "arm64" ? "v8" : null);
        if (wanted == given)
        {
            return 3;
        }

        // A machine of no stated variant takes the plain build first; one of a stated variant also runs the plain build.
        return Variant is null ? 1 : given is null ? 2 : 0;
    }

    private static string Normalise(string architecture) => architecture switch
    {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        _ => architecture,
    };

    private static string GoArchitecture(Architecture architecture) => architecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        System.Runtime.InteropServices.Architecture.Ppc64le => "ppc64le",
        System.Runtime.InteropServices.Architecture.LoongArch64 => "loong64",
        var other => other.ToString().ToLowerInvariant(),
    };
}
