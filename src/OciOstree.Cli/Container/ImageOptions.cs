using System.CommandLine;
using OciOstree.Registry;

namespace OciOstree.Cli.Container;

/// <summary>The options of every verb that reaches a registry, under the names that ostree-ext and skopeo have for them.</summary>
internal sealed class ImageOptions
{
    private readonly Option<string?> authFile = Opts.Value("--authfile", "PATH", "Path to Docker-formatted authentication file");
    private readonly Option<string?> creds = Opts.Value("--creds", "USERNAME[:PASSWORD]", "Log in as this user, instead of what any file says; without a password it is asked for");
    private readonly Option<string?> certDir = Opts.Value("--cert-dir", "PATH", "Directory with certificates (*.crt, *.cert, *.key) used to connect to registry");
    private readonly Option<bool> insecure = Opts.Flag("--insecure-skip-tls-verification", "Skip TLS verification, and speak plain HTTP to a registry that knows nothing else");
    private readonly Option<string?> tlsVerify = Opts.Value("--tls-verify", "BOOLEAN", "The same, as skopeo and podman spell it: --tls-verify=false").Offering("false", "true");
    private readonly Option<bool> anonymous = Opts.Flag("--auth-anonymous", "Use no credentials at all");
    private readonly Option<string?> platform = Opts.Value("--platform", "OS/ARCH[/VARIANT]", "Choose this image of an index, instead of the one for this machine").Offering(Platforms);

    /// <summary>The places that an image may be in, by their names.</summary>
    public static string[] Transports => ["registry", "docker", "oci", "oci-archive", "dir", "docker-archive", "docker-daemon", "containers-storage"];

    /// <summary>Where most images run.</summary>
    public static string[] Platforms => ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "linux/s390x"];

    /// <summary>Adds them to a verb.</summary>
    public ImageOptions AddTo(Command verb, bool withPlatform = true)
    {
        foreach (var option in new Option[] { authFile, creds, certDir, insecure, tlsVerify, anonymous })
        {
            verb.Add(option);
        }

        if (withPlatform)
        {
            verb.Add(platform);
        }

        return this;
    }

    public RegistryOptions Read(ParseResult parsed)
    {
        if (parsed.GetValue(anonymous) && (parsed.GetValue(creds) ?? parsed.GetValue(authFile)) is not null)
        {
            throw new UsageException("--auth-anonymous goes with neither --creds nor --authfile");
        }

        return new RegistryOptions
        {
            AuthFile = Existing(parsed.GetValue(authFile)),
            Credential = Credential(parsed.GetValue(creds)),
            CertificateDirectory = parsed.GetValue(certDir),
            TlsVerify = parsed.GetValue(insecure) ? false : Boolean(parsed, tlsVerify),
            Anonymous = parsed.GetValue(anonymous),
            Platform = PlatformOf(parsed, platform),
        };
    }

    /// <summary>The same for one side of a copy, where its own options say otherwise.</summary>
    public static RegistryOptions For(ParseResult parsed, RegistryOptions both, Option<string?> tlsVerify, Option<string?> authFile, Option<string?> creds) => both with
    {
        TlsVerify = Boolean(parsed, tlsVerify) ?? both.TlsVerify,
        AuthFile = Existing(parsed.GetValue(authFile)) ?? both.AuthFile,
        Credential = Credential(parsed.GetValue(creds)) ?? both.Credential,
        Anonymous = both.Anonymous && (parsed.GetValue(creds) ?? parsed.GetValue(authFile)) is null,
    };

    /// <summary>What such an option says; null if it is not given.</summary>
    public static Platform? PlatformOf(ParseResult parsed, Option<string?> option)
    {
        try
        {
            return parsed.GetValue(option) is { } given ? Platform.Parse(given) : null;
        }
        catch (RegistryException e)
        {
            throw new UsageException(e.Message);
        }
    }

    // A registry that asks for no credentials would hide the mistake until another does.
    private static string? Existing(string? path) =>
        path is null || File.Exists(path) ? path : throw new RegistryException($"credentials file {path}: no such file");

    private static RegistryCredential? Credential(string? given)
    {
        if (given is null)
        {
            return null;
        }

        var colon = given.IndexOf(':');
        var user = colon < 0 ? given : given[..colon];
        return user.Length > 0
            ? new RegistryCredential { Username = user, Password = colon < 0 ? AskPassword(user) : given[(colon + 1)..] }
            : throw new UsageException("--creds needs a user's name: USERNAME[:PASSWORD]");
    }

    private static string AskPassword(string user)
    {
        if (Console.IsInputRedirected)
        {
            return Console.In.ReadLine() ?? throw new UsageException($"the password of {user} is to come on standard input, which is empty");
        }

        Console.Error.Write($"Password of {user}: ");
        var password = new System.Text.StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                password.Length -= Math.Min(password.Length, 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                password.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return password.ToString();
    }

    /// <summary>What such an option says; null if it is not given.</summary>
    public static bool? Boolean(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) switch
    {
        null => null,
        "false" or "0" => false,
        "true" or "1" => true,
        var other => throw new UsageException($"Cannot parse boolean value '{other}' for {option.Name}"),
    };
}
