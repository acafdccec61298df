using System.Text;
using OciOstree.Linux;

namespace OciOstree.Registry.Credentials;

/// <summary>Asks a <c>docker-credential-NAME</c> program (the docker-credential-helpers protocol).</summary>
internal static class CredentialHelper
{
    private const int ReplyLimit = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The credential for a server; null if the helper has none.</summary>
    internal static RegistryCredential? Get(string helper, string server)
    {
        var program = "docker-credential-" + helper;
        if (helper.Length == 0 || helper.Contains('/'))
        {
            throw new RegistryException($"invalid credential helper '{Printable.Clip(helper)}'");
        }

        ExternalProgram run;
        try
        {
            run = ExternalProgram.Run(program, ["get"], Encoding.UTF8.GetBytes(server), timeLimit: Limit);
        }
        catch (IOException e)
        {
            throw new RegistryException($"{program}: {Printable.Clip(e is LinuxException failed ? LinuxException.Explain(failed.Errno) : e.Message)}");
        }

        // The protocol's only way to say "none" is this text; any other failure is one.
        if (run.ExitCode != 0)
        {
            return run.Output.AsSpan().IndexOf("credentials not found"u8) >= 0 ? null : throw new RegistryException($"{program} failed with exit code {run.ExitCode}");
        }

        return run.Output.Length <= ReplyLimit ? Read(program, run.Output) : throw new RegistryException($"{program}: its reply has {run.Output.Length} bytes");
    }

    private static RegistryCredential? Read(string program, ReadOnlyMemory<byte> reply) => Json.Parse(reply, "reply of " + program, root =>
    {
        var username = Json.String(root, "Username", "reply of " + program) ?? "";
        var secret = Json.String(root, "Secret", "reply of " + program) ?? "";
        return (username, secret) switch
        {
            ("", "") => null,
            ("<token>", _) => new RegistryCredential { IdentityToken = secret },
            _ => new RegistryCredential { Username = username, Password = secret },
        };
    });
}
